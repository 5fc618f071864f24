package aws_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// TestPlainValue follows a plain value through the life of a token: it is created, rotated
// by a scheduled run that does not know the format, retired, repaired, destroyed and
// created again.
func TestPlainValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "plain")
	w.settings.Format = aws.Plain
	plain := func(step string) *entry.Record {
		t.Helper()
		value, id := w.value()
		record := w.current()
		if err := w.check(); err != nil || !strings.HasPrefix(value, "pstk_") || record.Secret.Reveal() != value {
			t.Fatalf("%s: the value is %q: %v", step, value, err)
		}
		if labels := w.labels(); labels["PAISTRIKE_RECORD"] != id+"-record" {
			t.Errorf("%s: the record of %s has no label: %v", step, id, labels)
		}
		return record
	}
	w.create()
	first := plain("created")

	w.settings = aws.Settings{} // a scheduled run
	w.advance(30 * day)
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); !result.Rotated || result.Gen != 2 {
		t.Errorf("at its period: %+v", result)
	}
	second := plain("rotated")
	if w.labels()["AWSPREVIOUS"] != string(second.Base) || !w.accepts(first.Secret) {
		t.Error("the token before does not work, or is not AWSPREVIOUS")
	}
	w.advance(day)
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); !slices.Equal(result.Retired, []string{first.TokenID}) {
		t.Errorf("after the overlap: %+v", result)
	}
	plain("retired")

	w.deleteByHand()
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Reason != schedule.ReasonDeleted {
		t.Errorf("deleted by hand: %+v", result)
	}
	plain("healed")
	w.put("by hand")
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Reason != schedule.ReasonChanged {
		t.Errorf("changed by hand: %+v", result)
	}

	w.destroy(entry.EndDelete)
	if len(w.live()) != 0 {
		t.Errorf("%d tokens live after the end", len(w.live()))
	}
	w.settings.Format = aws.Plain
	w.create()
	plain("created again")
}

// TestChangeOfFormat changes the format back and forth.
func TestChangeOfFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "change")
	for i, format := range []aws.Format{aws.JSON, aws.Plain, aws.JSON, aws.Plain} {
		w.settings.Format = format
		request := w.request(rotation.Rotate, schedule.ReasonMoved)
		if record := w.current(); record != nil {
			request.Replaces, request.Keep = record.TokenID, []string{record.TokenID}
		}
		result := w.run(request)
		value, _ := w.value()
		if err := w.check(); err != nil || result.Gen != i+1 || strings.HasPrefix(value, "{") != (format == aws.JSON) {
			t.Errorf("%s: generation %d, %.20s: %v", format, result.Gen, value, err)
		}
		store := w.store(w.wire())
		if _, err := store.Look(t.Context(), w.at); err != nil || store.Format(w.at) != format {
			t.Errorf("the metadata says %s, want %s: %v", store.Format(w.at), format, err)
		}
	}
}

// TestRecordAloneServesNobody shows a first run that was killed between record and token:
// AWS made the record current because it was the first version, and it counts as absent.
func TestRecordAloneServesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "alone")
	w.settings.Format = aws.Plain
	puts := 0
	wire := &cut{w: w, when: func(operation string) bool {
		if operation == "PutSecretValue" {
			puts++
		}
		return puts == 3 // the preflight's, the record, the token
	}}
	if _, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated)); err == nil {
		t.Fatal("the run went well")
	}
	if value, id := w.value(); !strings.HasSuffix(id, "-record") || strings.Contains(value, "pstk_") {
		t.Fatalf("%s is current: %s", id, value)
	}
	glance, err := w.store(w.wire()).Look(t.Context(), w.at)
	if err != nil || glance.Revision != "" || glance.Condition != entry.Absent {
		t.Errorf("it is seen as %+v, %v", glance, err)
	}
	field, err := w.store(w.wire()).ReadField(t.Context(), w.at)
	if err != nil || field.Condition != entry.Absent {
		t.Errorf("a consumer is told %+v, %v", field, err)
	}
	w.create()
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// cut loses every request from the first match on.
type cut struct {
	w    *world
	when func(operation string) bool
}

// RoundTrip delivers a request or loses it.
func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.when(operation(r)) {
		return nil, errCut
	}
	return c.w.send(r)
}
