package aws_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// record returns the record that a run with the nonce op publishes on top of base.
func record(gen int, base entry.Revision, op string) entry.Record {
	return entry.Record{
		State: entry.StateActive, Secret: secret.New("secret-of-" + op), TokenID: "tok_" + op, TokenName: op, CreatedAt: firstDay,
		Slot: "slot", Inc: "inc", Gen: gen, Base: base, Op: op,
	}
}

// publish publishes on top of base and returns the revision.
func publish(t *testing.T, s *aws.Store, at entry.Location, gen int, base entry.Revision, op string) entry.Revision {
	t.Helper()
	published, err := s.Publish(t.Context(), at, base, record(gen, base, op))
	if err != nil {
		t.Fatal(err)
	}
	return published.Revision
}

// TestAfter shows which versions count as written on top of a revision: those that became
// current on it, however long ago, and no others.
func TestAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "after")
	s := w.store(w.wire())
	expect := func(base entry.Revision, op string, condition entry.Condition, follows entry.Revision) {
		t.Helper()
		got, err := s.After(t.Context(), w.at, base)
		said := ""
		if got.Record != nil {
			said = got.Record.Op
		}
		if err != nil || said != op || got.Condition != condition || got.Follows != follows {
			t.Errorf("after %q: %q, %s on %q, %v; want %q, %s on %q", base, said, got.Condition, got.Follows, err, op, condition, follows)
		}
	}
	expect("", "", entry.Absent, "")
	one := publish(t, s, w.at, 1, "", "aaaaaaaa")
	expect("", "aaaaaaaa", entry.Live, "")
	expect(one, "", entry.Absent, "")

	// A version that is put is not published if the move of the label does not arrive.
	half := w.store(roundTripper(func(r *http.Request) (*http.Response, error) {
		if operation(r) == "UpdateSecretVersionStage" {
			return nil, errCut
		}
		return w.send(r)
	}))
	if _, err := half.Publish(t.Context(), w.at, one, record(2, one, "bbbbbbbb")); err == nil {
		t.Fatal("published without a move")
	}
	expect(one, "", entry.Absent, "")

	two := publish(t, s, w.at, 2, one, "cccccccc")
	expect(one, "cccccccc", entry.Live, one)
	three := publish(t, s, w.at, 3, two, "dddddddd")
	expect(two, "dddddddd", entry.Live, two)
	expect(one, "cccccccc", entry.Live, one) // no longer current, but published
	expect("", "aaaaaaaa", entry.Live, "")

	// The version that was put can no longer be published.
	if _, err := s.Publish(t.Context(), w.at, one, record(2, one, "bbbbbbbb")); err == nil {
		t.Error("published on top of a version that is not current")
	}
	if labels := w.labels(); labels["AWSCURRENT"] != string(three) || labels["AWSPREVIOUS"] != string(two) {
		t.Errorf("labels %v", labels)
	}
	for label, id := range w.labels() {
		if id == "paistrike-00000000000002-bbbbbbbb" {
			t.Errorf("the loser's version has the label %s", label)
		}
	}

	w.move(string(three), string(one)) // manually, which publishes nothing
	expect(three, "aaaaaaaa", entry.Live, "")
	w.put("by hand")
	expect(one, "", entry.Live, one)
}

// TestRetryLeavesThePreviousVersion shows that repeating a publication does not move a
// label a second time.
func TestRetryLeavesThePreviousVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "retry")
	s := w.store(w.wire())
	one := publish(t, s, w.at, 1, "", "aaaaaaaa")
	two := publish(t, s, w.at, 2, one, "bbbbbbbb")
	for range 3 {
		_, _ = s.Publish(t.Context(), w.at, one, record(2, one, "bbbbbbbb"))
	}
	if labels := w.labels(); labels["AWSCURRENT"] != string(two) || labels["AWSPREVIOUS"] != string(one) {
		t.Errorf("labels %v, want %s and before it %s", labels, two, one)
	}
}

// TestRoomForVersions shows the message for a secret that was written a hundred times in a
// day.
func TestRoomForVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "full")
	s := w.store(w.wire())
	base := publish(t, s, w.at, 1, "", "aaaaaaaa")
	for i := range 99 {
		_, err := w.admin.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
			SecretId: sdk.String(w.at.Path), SecretString: sdk.String(fmt.Sprint(i)), VersionStages: []string{"MINE"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Publish(t.Context(), w.at, base, record(2, base, "bbbbbbbb"))
	expectCode(t, err, "PS327")
}
