package main

import (
	"fmt"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestStagesAfterAPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule          string
		before, after stages
		asked         []stage
	}{
		{
			`If this operation creates the first version for the secret, then Secrets Manager automatically attaches the staging label AWSCURRENT to it.`,
			nil, stages{"AWSCURRENT": "new", "MINE": "new"}, []stage{"MINE"},
		},
		{
			`If you don't include VersionStages, then Secrets Manager automatically moves the staging label AWSCURRENT to this version.`,
			stages{"AWSCURRENT": "a"}, stages{"AWSCURRENT": "new", "AWSPREVIOUS": "a"}, nil,
		},
		{
			`If you specify AWSCURRENT, and it is already attached to another version, then Secrets Manager also moves the staging label AWSPREVIOUS to the version that AWSCURRENT was removed from.`,
			stages{"AWSCURRENT": "b", "AWSPREVIOUS": "a", "MINE": "b"}, stages{"AWSCURRENT": "new", "AWSPREVIOUS": "b", "MINE": "new"}, []stage{"MINE", "AWSCURRENT"},
		},
		{
			`If you specify a staging label that's already associated with a different version of the same secret, then Secrets Manager removes the label from the other version and attaches it to this version.`,
			stages{"AWSCURRENT": "a", "MINE": "b"}, stages{"AWSCURRENT": "a", "MINE": "new"}, []stage{"MINE"},
		},
	} {
		before := maps.Clone(c.before)
		got, err := c.before.put("new", c.asked)
		if err != nil || !maps.Equal(got, c.after) {
			t.Errorf("%s\ngot %v %v, want %v", c.rule, got, err, c.after)
		}
		if !maps.Equal(before, c.before) {
			t.Errorf("%s\nwhat it was given has changed to %v", c.rule, c.before)
		}
	}
}

// "The staging label is attached and you either do not specify this parameter, or the version
// ID does not match, then the operation fails": rotations rely on this compare-and-set.
func TestStagesMove(t *testing.T) {
	t.Parallel()
	start := stages{"AWSCURRENT": "b", "AWSPREVIOUS": "a", "MINE": "c"}
	for _, c := range []struct {
		label, from, to string
		after           stages // nil = rejected
	}{
		{"AWSCURRENT", "b", "c", stages{"AWSCURRENT": "c", "AWSPREVIOUS": "b", "MINE": "c"}},
		{"AWSCURRENT", "b", "a", stages{"AWSCURRENT": "a", "AWSPREVIOUS": "b", "MINE": "c"}}, // rolls back
		{"AWSCURRENT", "a", "c", nil}, // another run was faster
		{"AWSCURRENT", "", "c", nil},
		{"AWSCURRENT", "c", "c", nil},
		{"AWSCURRENT", "", "b", start}, // already attached
		{"AWSCURRENT", "b", "b", start},
		{"AWSCURRENT", "b", "", nil}, // "It can't be completely removed"
		{"AWSPREVIOUS", "a", "", stages{"AWSCURRENT": "b", "MINE": "c"}},
		{"MINE", "c", "a", stages{"AWSCURRENT": "b", "AWSPREVIOUS": "a", "MINE": "a"}},
		{"MINE", "", "a", nil},
		{"MINE", "c", "", stages{"AWSCURRENT": "b", "AWSPREVIOUS": "a"}},
		{"MINE", "b", "", nil},
		{"NEW", "", "b", stages{"AWSCURRENT": "b", "AWSPREVIOUS": "a", "MINE": "c", "NEW": "b"}},
		{"NEW", "b", "c", nil}, // not attached
		{"NEW", "", "", nil},
	} {
		got, err := start.move(c.label, c.from, c.to)
		if (err != nil) != (c.after == nil) || err == nil && !maps.Equal(got, c.after) {
			t.Errorf("%s from %q to %q: %v %v, want %v", c.label, c.from, c.to, got, err, c.after)
		}
	}
	if len(start) != 3 || start["AWSCURRENT"] != "b" {
		t.Errorf("what it was given has changed to %v", start)
	}
}

// Two runs each put a version and then try to make it current. Both name the version that
// they saw, so one fails and its version does not become AWSCURRENT.
func TestTwoRotationsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	for _, run := range []string{"2", "3"} {
		if err := w.put("a", run, "value of "+run, "RUN"+run); err != nil {
			t.Fatal(err)
		}
	}
	move := func(to string) error {
		_, err := w.client().UpdateSecretVersionStage(t.Context(), &sm.UpdateSecretVersionStageInput{
			SecretId: aws.String("a"), VersionStage: aws.String(current), RemoveFromVersionId: id("1"), MoveToVersionId: id(to),
		})
		return err
	}
	if err := move("3"); err != nil {
		t.Fatal(err)
	}
	if got := refusal(move("2")); got != invalidParameter {
		t.Errorf("the second: %q", got)
	}
	want := map[string]string{"1": "AWSPREVIOUS", "2": "RUN2", "3": "AWSCURRENT RUN3"}
	if got := w.stagesOf(t.Context(), "a"); !maps.Equal(got, want) {
		t.Errorf("labels %v, want %v", got, want)
	}
	_, err := w.client().UpdateSecretVersionStage(t.Context(), &sm.UpdateSecretVersionStageInput{
		SecretId: aws.String("a"), VersionStage: aws.String(current), RemoveFromVersionId: id("3"), MoveToVersionId: id("9"),
	})
	if got := refusal(err); got != notFound {
		t.Errorf("a version that is not there: %q", got)
	}
}

// "Staging labels attached across all versions of a secret: 20".
func TestTwentyLabelsAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	var labels []string
	for n := range 19 {
		labels = append(labels, fmt.Sprint("L", n))
	}
	if err := w.put("a", "2", "two", labels...); err != nil {
		t.Fatalf("AWSCURRENT and 19 others: %v", err)
	}
	if got := refusal(w.put("a", "3", "three", "ONE-MORE")); got != limitExceeded {
		t.Errorf("one more: %q", got)
	}
	_, err := w.client().UpdateSecretVersionStage(t.Context(), &sm.UpdateSecretVersionStageInput{
		SecretId: aws.String("a"), VersionStage: aws.String("ONE-MORE"), MoveToVersionId: id("1"),
	})
	if got := refusal(err); got != limitExceeded {
		t.Errorf("one more by a move: %q", got)
	}
	if _, all := w.stagesOf(t.Context(), "a")["3"]; all {
		t.Error("what was refused was done")
	}
}
