package rotation_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestLostCreateIsResolvedInTheSameRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	creates := 0
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := w.send(r)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/api-tokens") {
			if creates++; creates == 1 {
				response.Body.Close()
				return nil, errConnection
			}
		}
		return response, err
	})
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
	if err != nil {
		t.Fatal(err)
	}
	if live := w.live(); len(live) != 1 || live[0].ID != result.TokenID || creates != 2 {
		t.Errorf("%d live after %d creates, want the published one alone: the lost one is found by its name and revoked", len(live), creates)
	}
	if len(result.Notes) != 1 || result.Notes[0].Code != "PS103" {
		t.Errorf("notes = %v, want PS103", result.Notes)
	}
}

func TestRefusedTokenIsNotPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	before, _ := w.current()
	w.paistrike.Clock().Advance(30 * day)
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/api-tokens/self") {
			return answer(r, http.StatusUnauthorized, `{"code":"token_invalid"}`), nil
		}
		return w.send(r)
	})
	_, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	var failure *rotation.Error
	if !errors.As(err, &failure) || failure.Code != "PS401" {
		t.Fatalf("error = %v, want PS401", err)
	}
	after, version := w.current()
	if version != 1 || after.TokenID != before.TokenID || len(w.live()) != 1 {
		t.Errorf("version %d, %d live: a token that PAIStrike refuses must be revoked and not published", version, len(w.live()))
	}
}

func TestSecondRotationKeepsBothOverlaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()
	w.run(w.request(rotation.Rotate, schedule.ReasonForced))
	second, _ := w.current()
	w.paistrike.Clock().Advance(time.Hour)
	w.run(w.request(rotation.Rotate, schedule.ReasonForced))
	third, _ := w.current()
	w.run(w.request(rotation.Settle, schedule.ReasonNone))
	for i, record := range []*entry.Record{first, second, third} {
		if !w.accepts(record.Secret) {
			t.Errorf("token %d of three stopped working inside its overlap", i+1)
		}
	}
	w.paistrike.Clock().Advance(23 * time.Hour)
	w.run(w.request(rotation.Settle, schedule.ReasonNone))
	if w.accepts(first.Secret) || !w.accepts(third.Secret) {
		t.Error("a day after it was replaced the first token should be gone, and the current one not")
	}
}

func TestFenceNeverLaundersARollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	w.paistrike.Clock().Advance(2 * day)
	w.run(w.request(rotation.Settle, schedule.ReasonNone)) // the first token is revoked
	content, err := entry.EncodeRecord("token", *first)
	if err != nil {
		t.Fatal(err)
	}
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": content})
	name := rotation.Name{Label: "CI/CD Pipeline", Slot: first.Slot, Inc: first.Inc, Gen: 4, Nonce: "aaaaaaaa"}
	w.paistrike.Mint(name.String(), w.now().Add(90*day)) // left by a killed run
	w.paistrike.Clock().Advance(2 * day)
	request := w.request(rotation.Settle, schedule.ReasonNone)
	request.MayRepublish = true
	w.run(request)
	if _, version := w.current(); version != 3 {
		t.Errorf("version %d: a fence published again what a human had brought back, with a revoked token", version)
	}
}

func TestFenceSealsAStaleMint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	current, _ := w.current()
	name := rotation.Name{Label: "CI/CD Pipeline", Slot: current.Slot, Inc: current.Inc, Gen: 2, Nonce: "aaaaaaaa"}
	stray, _ := w.paistrike.Mint(name.String(), w.now().Add(90*day))
	request := w.request(rotation.Settle, schedule.ReasonNone)
	request.MayRepublish = true
	w.paistrike.Clock().Advance(day - time.Second)
	if w.run(request); len(w.live()) != 2 {
		t.Fatal("a token that may still be in flight was swept")
	}
	w.paistrike.Clock().Advance(time.Second)
	result := w.run(request)
	if after, version := w.current(); !slices.Equal(result.Swept, []string{stray}) || version != 2 || after.TokenID != current.TokenID || !w.accepts(after.Secret) {
		t.Errorf("swept %v at version %d, want the stale mint fenced off with the same token", result.Swept, version)
	}
}

func TestOverlapEndsByTheMedianClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	for _, tt := range []struct {
		name    string
		advance time.Duration
		vault   time.Duration // the difference between Vault's clock and PAIStrike's
		machine time.Duration // the difference of this machine's clock
		works   bool
		note    bool
	}{
		{"Vault alone is past the end", day - 5*time.Minute, 10 * time.Minute, 0, true, true},
		{"this machine alone is past the end", 0, 0, 10 * time.Minute, true, false},
		{"PAIStrike alone is past the end", 10 * time.Minute, -10 * time.Minute, -10 * time.Minute, true, true},
		{"PAIStrike is an hour ahead of both, which are past the end", 2 * time.Hour, -time.Hour, -time.Hour, true, true},
		{"Vault alone is a year behind", 0, -365 * day, 0, false, true},
	} {
		w.paistrike.Clock().Advance(tt.advance)
		wire := roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/sys/health") {
				w.paistrike.Clock().Advance(tt.vault)
				defer w.paistrike.Clock().Advance(-tt.vault)
			}
			return w.send(r)
		})
		w.machine = tt.machine
		result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
		if err != nil {
			t.Fatal(err)
		}
		if w.accepts(first.Secret) != tt.works {
			t.Errorf("%s: the old token works = %t, want %t", tt.name, !tt.works, tt.works)
		}
		if noted := len(result.Notes) > 0 && result.Notes[0].Code == "PS307"; noted != tt.note {
			t.Errorf("%s: notes = %v", tt.name, result.Notes)
		}
	}
}

func TestQuotaIsClearedBeforeGivingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	w.paistrike.Clock().Advance(30 * day) // the old token's overlap is over, and the current one is due
	w.paistrike.SetPolicy(sandbox.Policy{MaxActive: 3})
	result := w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	if !result.Rotated || len(result.Retired) != 1 {
		t.Errorf("rotated = %t, retired %v: what is ripe makes room for the new token", result.Rotated, result.Retired)
	}
	w.paistrike.SetPolicy(sandbox.Policy{MaxActive: 2})
	_, err := w.engine(w.wire()).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonForced))
	var failure *rotation.Error
	if !errors.As(err, &failure) || failure.Code != "PS105" {
		t.Errorf("error = %v, want PS105", err)
	}
}

func TestIdleTokensRetireAndBusyOnesAreHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	request := w.request(rotation.IfDue, schedule.ReasonNone)
	request.Policy.RetireWhenIdle = true
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()
	w.paistrike.Clock().Advance(30 * day)
	w.run(request)

	w.paistrike.Clock().Advance(day)
	w.accepts(first.Secret) // a consumer that has not fetched the new one
	result := w.run(request)
	if len(result.Retired) != 0 || len(result.Notes) != 1 || result.Notes[0].Code != "PS504" {
		t.Errorf("retired %v with notes %v, want the busy token held with PS504", result.Retired, result.Notes)
	}
	w.paistrike.Clock().Advance(time.Hour)
	if result := w.run(request); !slices.Equal(result.Retired, []string{first.TokenID}) {
		t.Errorf("retired %v, want the token that has been idle for an hour", result.Retired)
	}

	second, _ := w.current()
	w.paistrike.Clock().Advance(30 * day)
	w.run(request)
	w.paistrike.Clock().Advance(2 * day)
	w.accepts(second.Secret)
	if result := w.run(request); !slices.Equal(result.Retired, []string{second.TokenID}) {
		t.Errorf("retired %v: a busy token is held for a second overlap at most", result.Retired)
	}
}

func TestJitterIsAlwaysTheSameForAnEntry(t *testing.T) {
	t.Parallel()
	policy := schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Jitter: 6 * time.Hour}.WithDefaults()
	if err := policy.Validate(); err != nil {
		t.Fatal(err)
	}
	seen := map[time.Time]bool{}
	for _, path := range []string{"ci", "zapier", "automation", "nightly", "staging"} {
		facts := schedule.Facts{CreatedAt: firstDay, ExpiresAt: firstDay.Add(90 * day), Slot: entry.Slot("0b5c", "", path)}
		due := schedule.Evaluate(firstDay, facts, policy).Next
		if again := schedule.Evaluate(firstDay.Add(day), facts, policy).Next; !again.Equal(due) {
			t.Errorf("%s: due at %v, a day later at %v", path, due, again)
		}
		if earliest := firstDay.Add(30 * day); due.Before(earliest) || !due.Before(earliest.Add(6*time.Hour)) {
			t.Errorf("%s: due at %v, outside the jitter", path, due)
		}
		if schedule.Evaluate(due.Add(-time.Second), facts, policy).Due || !schedule.Evaluate(due, facts, policy).Due {
			t.Errorf("%s: not due exactly at %v", path, due)
		}
		seen[due] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d different times for 5 entries", len(seen))
	}
}

func TestUnreadableAnswerLeavesNoTokenBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	creates := 0
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := w.send(r)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/api-tokens") {
			creates++
			response.Body.Close()
			return answer(r, http.StatusCreated, `{"message":"created"}`), nil
		}
		return response, err
	})
	_, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
	var failure *rotation.Error
	if !errors.As(err, &failure) || failure.Code != "PS109" || creates != 1 || len(w.live()) != 0 {
		t.Errorf("error %v after %d creates with %d tokens live, want PS109 after one create, and none", err, creates, len(w.live()))
	}
}

func TestPurgedHistoryIsRemarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	second, _ := w.current()
	w.paistrike.Clock().Advance(time.Hour)
	w.accepts(second.Secret) // a consumer uses it
	w.vault(http.MethodDelete, "metadata/"+w.at.Path, nil)
	result := w.run(w.request(rotation.Rotate, schedule.ReasonGone))
	if !slices.ContainsFunc(result.Notes, func(m rotation.Message) bool { return m.Code == "PS207" }) {
		t.Errorf("notes = %v, want PS207", result.Notes)
	}
	if record, version := w.current(); version != 1 || !w.accepts(record.Secret) || !w.accepts(second.Secret) {
		t.Errorf("version %d: the new history must begin with a working token, and the used one keep its overlap", version)
	}
}

func TestPlanKnowsAFirstVersionThatIsNotMirroredYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPatch {
			return nil, errConnection
		}
		return w.send(r)
	})
	if _, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated)); err != nil {
		t.Fatal(err)
	}
	view, err := w.engine(w.wire()).Look(t.Context(), w.at)
	if err != nil {
		t.Fatal(err)
	}
	if view.Foreign() || !view.Stale() || view.Unhealthy() != schedule.ReasonNone || view.MayPublish("", "CI/CD Pipeline", true, false) != nil {
		t.Errorf("view = %+v, want an entry of ours whose mirror is out of date", view)
	}

	other := newWorld(t, w.kv)
	other.vault(http.MethodPost, "data/"+other.at.Path, map[string]any{"data": map[string]any{"password": "by hand"}})
	if view, err = other.engine(other.wire()).Look(t.Context(), other.at); err != nil || !view.Foreign() {
		t.Errorf("foreign = %t (%v) for a secret that someone else wrote", view.Foreign(), err)
	}
}

// The overlap begins when the new token is published, however long ago the run observed
// the entry.
func TestOverlapBeginsAtThePublication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/api-tokens/self") {
			w.paistrike.Clock().Advance(10 * time.Minute) // a slow check
		}
		return w.send(r)
	})
	if _, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonForced)); err != nil {
		t.Fatal(err)
	}
	if retiring := mustRecord(w).Retiring; len(retiring) != 1 || retiring[0].RevokeAfter.Before(w.now().Add(day)) {
		t.Errorf("%v at %v, want a whole day from now", retiring, w.now())
	}
}
