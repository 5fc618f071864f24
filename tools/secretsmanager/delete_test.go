package main

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const day = 24 * time.Hour

func (w *world) remove(name string, days int64) (*sm.DeleteSecretOutput, error) {
	return w.client().DeleteSecret(w.Context(), &sm.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: &days})
}

// "When a secret is scheduled for deletion, you cannot retrieve the secret value. You
// must first cancel the deletion with RestoreSecret and then you can retrieve the
// secret".
func TestRecoveryWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	out, err := w.remove("a", 7)
	if got := must(t, out, err).DeletionDate; !got.Equal(noon.Add(7 * day)) {
		t.Errorf("DeletionDate %s", got)
	}
	name := aws.String("a")
	for operation, call := range map[string]func() error{
		"GetSecretValue": func() error {
			_, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: name})
			return err
		},
		"PutSecretValue": func() error { return w.put("a", "2", "two") },
		"UpdateSecret": func() error {
			_, err := w.client().UpdateSecret(t.Context(), &sm.UpdateSecretInput{SecretId: name, Description: aws.String("d")})
			return err
		},
		"UpdateSecretVersionStage": func() error {
			_, err := w.client().UpdateSecretVersionStage(t.Context(), &sm.UpdateSecretVersionStageInput{SecretId: name, VersionStage: aws.String("MINE"), MoveToVersionId: id("1")})
			return err
		},
		"TagResource": func() error { return w.tag("a", pairs("k=v")...) },
		"UntagResource": func() error {
			_, err := w.client().UntagResource(t.Context(), &sm.UntagResourceInput{SecretId: name, TagKeys: []string{"k"}})
			return err
		},
		"CreateSecret": func() error {
			_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: name})
			return err
		},
		"CreateSecret again": func() error {
			_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: name, SecretString: aws.String("one"), ClientRequestToken: id("1")})
			return err
		},
		"DeleteSecret": func() error { _, err := w.remove("a", 7); return err },
	} {
		if got := refusal(call()); got != invalidRequest {
			t.Errorf("%s of a secret that is scheduled for deletion: %q", operation, got)
		}
	}
	described, err := w.client().DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: name})
	if got := must(t, described, err).DeletedDate; got == nil || !got.Equal(noon.Add(7*day)) {
		t.Errorf("DeletedDate %v", got)
	}
	w.advance(7*day - time.Second)
	for range 2 { // restoring a secret that is not deleted has no effect
		if _, err := w.client().RestoreSecret(t.Context(), &sm.RestoreSecretInput{SecretId: name}); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(30 * day)
	read, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: name})
	if got := *must(t, read, err).SecretString; got != "one" {
		t.Errorf("restored %q", got)
	}
}

// "At the end of the recovery window, Secrets Manager deletes the secret permanently".
func TestWindowEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	first := *w.create("a").ARN
	if _, err := w.remove("a", 30); err != nil {
		t.Fatal(err)
	}
	w.advance(30 * day)
	_, err := w.client().RestoreSecret(t.Context(), &sm.RestoreSecretInput{SecretId: aws.String("a")})
	if got := refusal(err); got != notFound {
		t.Errorf("after the window: %q", got)
	}
	if second := *w.create("a").ARN; second == first {
		t.Error("the new secret has the old ARN")
	}
}

// "The number of days from 7 to 30"; "You can't use both this parameter and
// ForceDeleteWithoutRecovery in the same call. If you don't use either, then Secrets
// Manager defaults to a 30 day recovery window".
func TestWindowRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	for _, days := range []int64{0, 6, 31} {
		_, err := w.remove("a", days)
		if got := refusal(err); got != invalidParameter {
			t.Errorf("%d days: %q", days, got)
		}
	}
	force := func(days *int64) (*sm.DeleteSecretOutput, error) {
		return w.client().DeleteSecret(t.Context(), &sm.DeleteSecretInput{SecretId: aws.String("a"), ForceDeleteWithoutRecovery: aws.Bool(true), RecoveryWindowInDays: days})
	}
	_, err := force(aws.Int64(7))
	if got := refusal(err); got != invalidParameter {
		t.Errorf("both: %q", got)
	}
	out, err := w.client().DeleteSecret(t.Context(), &sm.DeleteSecretInput{SecretId: aws.String("a")})
	if got := must(t, out, err).DeletionDate; !got.Equal(noon.Add(30 * day)) {
		t.Errorf("neither: DeletionDate %s", got)
	}
	// The window can be shortened: "If you forcibly delete an already deleted or nonexistent
	// secret, the operation does not return ResourceNotFoundException".
	for range 2 {
		out, err := force(nil)
		if got := must(t, out, err); !got.DeletionDate.Equal(noon) || *got.Name != "a" {
			t.Errorf("forced: %v %v", *got.Name, got.DeletionDate)
		}
	}
	_, err = w.remove("a", 7)
	if got := refusal(err); got != notFound {
		t.Errorf("with a window, of what is not there: %q", got)
	}
}

// Repeating a create has no effect: "If a version with this value already exists and the
// version SecretString and SecretBinary values are the same as those in the request, then the
// request is ignored".
func TestCreateTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	if first, again := *w.create("a").ARN, *w.create("a").ARN; first != again {
		t.Errorf("ARNs %s and %s", first, again)
	}
	for _, c := range []struct{ token, value string }{{"1", "other"}, {"2", "one"}} {
		_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("a"), SecretString: &c.value, ClientRequestToken: id(c.token)})
		if got := refusal(err); got != resourceExists {
			t.Errorf("token %s, value %s: %q", c.token, c.value, got)
		}
	}
	if got := w.stagesOf(t.Context(), "a"); len(got) != 1 || got["1"] != current {
		t.Errorf("versions %v", got)
	}
}
