package aws_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestLifeOfAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "ci/paistrike")
	created := w.create()
	first := w.current()
	if err := w.check(); err != nil || first.TokenID != created.TokenID || created.Gen != 1 || first.Base != "" {
		t.Fatalf("created %+v, served %+v: %v", created, first, err)
	}
	_, base := w.value()

	w.advance(29 * day)
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Rotated || result.Mirrored {
		t.Fatalf("a day early: %+v", result)
	}
	w.advance(day)
	result := w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	second := w.current()
	if !result.Rotated || result.Reason != schedule.ReasonPeriod || result.Gen != 2 || string(second.Base) != base {
		t.Fatalf("at its period: %+v, served %+v", result, second)
	}
	if labels := w.labels(); labels["AWSPREVIOUS"] != base || labels["AWSCURRENT"] == base {
		t.Errorf("labels %v, want AWSPREVIOUS on %s", labels, base)
	}
	if !w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Error("old and new must both work in the overlap")
	}

	w.advance(day)
	result = w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	if !slices.Equal(result.Retired, []string{first.TokenID}) || w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Errorf("after the overlap: %+v", result)
	}
	if labels := w.labels(); labels["AWSPREVIOUS"] != base {
		t.Errorf("retiring moved labels: %v", labels)
	}
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Mirrored || result.Published {
		t.Errorf("nothing was due: %+v", result)
	}
}

func TestDestroyAndCreateAgain(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	for how, there := range map[entry.Ending]bool{entry.EndDelete: true, entry.EndKeep: true, entry.EndPurge: false} {
		w := newWorld(t, server, "again/"+string(how))
		w.settings.RecoveryWindow = 7
		gen := w.create().Gen
		if result := w.destroy(how); !result.Closed || len(result.Revoked) != 1 || len(w.live()) != 0 {
			t.Fatalf("%s: %+v, %d live", how, result, len(w.live()))
		}
		if there {
			d := w.described()
			if deleted := d.DeletedDate != nil; deleted != (how == entry.EndDelete) {
				t.Errorf("%s: deleted %t", how, deleted)
			}
			if deleted := d.DeletedDate; deleted != nil && !deleted.Equal(w.now().Add(7*day)) {
				t.Errorf("%s: ends at %v, want in 7 days", how, deleted)
			}
		}
		if result := w.destroy(how); len(result.Revoked) != 0 {
			t.Errorf("%s again: %+v", how, result)
		}
		again := w.create()
		if err := w.check(); err != nil || there && again.Gen <= gen {
			t.Errorf("%s, created again as %d: %v", how, again.Gen, err)
		}
	}
}

func TestWhatHappensByHandIsHealed(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	for name, test := range map[string]struct {
		harm func(w *world)
		want schedule.Reason
	}{
		"the token is revoked":   {func(w *world) { w.paistrike.Revoke(w.current().TokenID) }, schedule.ReasonRevoked},
		"the secret is deleted":  {func(w *world) { w.deleteByHand() }, schedule.ReasonDeleted},
		"the value is replaced":  {func(w *world) { w.put("changed by hand") }, schedule.ReasonChanged},
		"the value is an object": {func(w *world) { w.put(`{"token":"changed by hand"}`) }, schedule.ReasonChanged},
	} {
		w := newWorld(t, server, "heal/"+strings.ReplaceAll(name, " ", "-"))
		w.create()
		test.harm(w)
		request := w.request(rotation.IfDue, schedule.ReasonNone)
		result := w.run(request)
		if err := w.check(); err != nil || !result.Rotated || result.Reason != test.want {
			t.Errorf("%s: %+v: %v", name, result, err)
		}
	}
}

// TestPurgedByHand shows that Terraform creates a purged secret again, and that the token
// that is no longer served does not remain.
func TestPurgedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "purged")
	w.create()
	w.purgeByHand()
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); !result.Closed || result.Rotated {
		t.Errorf("a scheduled run: %+v", result)
	}
	w.run(w.request(rotation.Rotate, schedule.ReasonGone))
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// TestLabelMovedBack shows that a version that someone made current again manually does
// not count as a publication: nothing is revoked because of it.
func TestLabelMovedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "back")
	w.create()
	_, one := w.value()
	w.advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	second := w.current()
	_, two := w.value()
	w.move(two, one)
	glance, err := w.store(w.wire()).Look(t.Context(), w.at)
	if err != nil || string(glance.Revision) != one || string(glance.Follows) != two {
		t.Fatalf("%+v, %v: want %s after %s", glance, err, one, two)
	}
	result := w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	if err := w.check(); err != nil || !result.Rotated || !w.accepts(second.Secret) {
		t.Errorf("%+v: %v; the token of the version moved away works: %t", result, err, w.accepts(second.Secret))
	}
	if third := w.current(); third.Gen <= second.Gen {
		t.Errorf("generation %d after %d", third.Gen, second.Gen)
	}
}

func TestReadField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "field")
	read := func() entry.Field {
		t.Helper()
		field, err := w.store(w.wire()).ReadField(t.Context(), w.at)
		if err != nil {
			t.Fatal(err)
		}
		return field
	}
	if got := read(); got.Condition != entry.Absent {
		t.Errorf("nothing there: %+v", got)
	}
	w.create()
	want := w.current()
	if got := read(); got.Secret != want.Secret || got.Record == nil || !slices.Contains(got.Names, "token_id") || !got.Time.Equal(w.now()) {
		t.Errorf("a record: %+v", got)
	}
	w.put(`{"token":"by hand","other":1}`)
	if got := read(); got.Secret.Reveal() != "by hand" || got.Record != nil || !slices.Equal(got.Names, []string{"other", "token"}) {
		t.Errorf("an object: %+v", got)
	}
	w.put("plain")
	if got := read(); got.Secret.Reveal() != "plain" || got.Names != nil {
		t.Errorf("a text: %+v", got)
	}
	w.deleteByHand()
	if got := read(); got.Condition != entry.Deleted {
		t.Errorf("deleted: %+v", got)
	}
}

// TestClosedBetweenLookAndRead shows that a scheduled run does not restore an entry that
// Terraform destroys while the run looks at it.
func TestClosedBetweenLookAndRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "closing")
	w.create()
	w.paistrike.Clock().Advance(30 * day)
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if operation(r) == "GetSecretValue" && w.described().DeletedDate == nil {
			w.destroy(entry.EndDelete)
		}
		return w.send(r)
	})
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || !result.Closed || len(w.live()) != 0 || w.described().DeletedDate == nil {
		t.Errorf("%+v, %v: %d live", result, err, len(w.live()))
	}
}
