package rotation_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestFirstRunMintsVerifiesAndPublishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	wire := &recorderWire{next: w.wire()}
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
	if err != nil {
		t.Fatal(err)
	}
	record, version := w.current()
	if record == nil || version != 1 || record.TokenID != result.TokenID || record.Base != "" || record.Gen != 1 {
		t.Fatalf("current record = %+v at version %d, want the minted token at version 1", record, version)
	}
	if !w.accepts(record.Secret) {
		t.Error("PAIStrike refuses the published secret")
	}
	want := firstDay.Add(90 * day)
	if !record.ExpiresAt.Equal(want) || !result.Verdict.Next.Equal(firstDay.Add(30*day)) {
		t.Errorf("expires %v and due %v, want %v and %v", record.ExpiresAt, result.Verdict.Next, want, firstDay.Add(30*day))
	}
	shared := []string{"GET /api/v1/api-tokens", "GET /v1/sys/internal/ui/mounts/secret", "GET /v1/secret/config", "GET /v1/sys/health", "GET /v1/auth/token/lookup-self"}
	own := slices.DeleteFunc(slices.Clone(wire.calls), func(call string) bool { return slices.Contains(shared, call) })
	if len(own) > 7 {
		t.Errorf("one create took %d calls beside what a run shares, want at most 7: %v", len(own), own)
	}
	if n := wire.count("POST /api/v1/api-tokens"); n != 1 {
		t.Errorf("%d creates, want 1", n)
	}
}

func TestRotationKeepsTheOldTokenForItsOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()

	w.paistrike.Clock().Advance(29 * day)
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); result.Rotated {
		t.Fatal("rotated a day early")
	}
	w.paistrike.Clock().Advance(day)
	result := w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	second, version := w.current()
	if !result.Rotated || result.Reason != schedule.ReasonPeriod || version != 2 || second.TokenID == first.TokenID {
		t.Fatalf("at its period: %+v at version %d, want a rotation by period to version 2", result, version)
	}
	if !w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Error("old and new must both work in the overlap")
	}

	w.paistrike.Clock().Advance(day - time.Second)
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); len(result.Retired) != 0 {
		t.Errorf("retired %v a second before the overlap was over", result.Retired)
	}
	w.paistrike.Clock().Advance(time.Second)
	result = w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	if !slices.Equal(result.Retired, []string{first.TokenID}) || w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Errorf("after the overlap: retired %v, want the old token alone", result.Retired)
	}
	if _, after := w.current(); after != 2 {
		t.Errorf("retiring moved the version to %d: consumers would be woken for nothing", after)
	}
}

func TestUnhealthyTokensAreReplacedAtOnce(t *testing.T) {
	t.Parallel()
	kv := startKV(t)
	for _, tt := range []struct {
		name  string
		spoil func(w *world, record *entry.Record)
		want  schedule.Reason
	}{
		{"revoked in PAIStrike", func(w *world, r *entry.Record) { w.paistrike.Revoke(r.TokenID) }, schedule.ReasonRevoked},
		{"deleted in PAIStrike", func(w *world, r *entry.Record) {
			w.run(w.due(schedule.ReasonForced)) // another token of the slot proves that this is the account
			w.paistrike.Forget(mustRecord(w).TokenID)
		}, schedule.ReasonNotFound},
		{"expired", func(w *world, _ *entry.Record) { w.paistrike.Clock().Advance(91 * day) }, schedule.ReasonExpired},
		{"soft-deleted in Vault", func(w *world, _ *entry.Record) { w.vault(http.MethodDelete, "data/"+w.at.Path, nil) }, schedule.ReasonDeleted},
		{"destroyed in Vault", func(w *world, _ *entry.Record) {
			w.vault(http.MethodPost, "destroy/"+w.at.Path, map[string]any{"versions": []int{1}})
		}, schedule.ReasonDeleted},
		{"overwritten in Vault", func(w *world, _ *entry.Record) {
			w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": map[string]any{"token": "by hand"}})
		}, schedule.ReasonChanged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kv)
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
			old, _ := w.current()
			tt.spoil(w, old)
			result := w.run(w.request(rotation.IfDue, schedule.ReasonNone))
			record, _ := w.current()
			if !result.Rotated || result.Reason != tt.want {
				t.Fatalf("rotated = %t for %q, want a rotation for %q", result.Rotated, result.Reason, tt.want)
			}
			if record == nil || !w.accepts(record.Secret) {
				t.Error("the entry does not serve a working token")
			}
			if again := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); again.Rotated {
				t.Error("a second run rotated again")
			}
		})
	}
}

// A person restores version 1: in Vault as "vault kv rollback" does, in AWS by moving the
// label.
func TestHumanRollbackIsNeverSweptAgainst(t *testing.T) {
	t.Parallel()
	overEachStore(t, humanRollback)
}

func humanRollback(t *testing.T, row storeRow) {
	t.Helper()
	w := newWorld(t, row.twins(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.served()
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	second, _ := w.served()

	w.backend.goBack(w)
	if back := mustRecord(w); back.TokenID != first.TokenID {
		t.Fatalf("%s is served, want the first token", back.TokenID)
	}
	w.paistrike.Clock().Advance(2 * day)

	result := w.run(w.request(rotation.Settle, schedule.ReasonNone))
	if len(result.Retired)+len(result.Swept) != 0 || !w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Fatalf("a version that the protocol did not write was swept against: retired %v, swept %v", result.Retired, result.Swept)
	}
	result = w.run(w.request(rotation.IfDue, schedule.ReasonNone)) // the token of January is due again
	third, _ := w.served()
	if !result.Rotated || len(third.Retiring) != 2 || !w.accepts(first.Secret) || !w.accepts(second.Secret) {
		t.Fatalf("retiring = %v, want both live tokens kept for a full overlap", third.Retiring)
	}
	w.paistrike.Clock().Advance(day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	if live := w.live(); len(live) != 1 || live[0].ID != third.TokenID {
		t.Errorf("after the overlap %v live, want the current token alone", live)
	}
}

func TestForeignEntriesAreNotTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": map[string]any{"password": "by hand"}})
	wire := &recorderWire{next: w.wire()}
	_, err := w.engine(wire).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
	var failure *rotation.Error
	if !errors.As(err, &failure) || failure.Code != "PS208" {
		t.Fatalf("error = %v, want PS208", err)
	}
	if n := wire.count("POST /api/v1") + wire.count("PUT /v1") + wire.count("POST /v1/secret") + wire.count("PATCH"); n != 0 {
		t.Errorf("%d writes, want none: %v", n, wire.calls)
	}
	request := w.request(rotation.Rotate, schedule.ReasonCreated)
	request.Adopt = true
	w.run(request)
	if record, version := w.current(); record == nil || version != 2 {
		t.Errorf("adopted entry: %+v at version %d, want our record at version 2", record, version)
	}
}

func TestDestroyLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, how := range []entry.Ending{entry.EndDelete, entry.EndKeep, entry.EndPurge} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, startKV(t))
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
			w.paistrike.Clock().Advance(30 * day)
			w.run(w.request(rotation.IfDue, schedule.ReasonNone))
			if len(w.live()) != 2 {
				t.Fatal("want two live tokens in the overlap")
			}
			record, _ := w.current()
			request := rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenIDs: []string{record.TokenID}, Ending: how}
			if _, err := w.engine(w.wire()).Destroy(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			if live := w.live(); len(live) != 0 {
				t.Errorf("%d tokens still live", len(live))
			}
			if after, _ := w.current(); after != nil && after.State != entry.StateTombstone {
				t.Error("the current version still serves a token")
			}
			if _, err := w.engine(w.wire()).Destroy(t.Context(), request); err != nil {
				t.Errorf("destroying again: %v", err)
			}
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated)) // the path is free without adopt
			if again, _ := w.current(); again == nil || !w.accepts(again.Secret) {
				t.Error("the path does not serve a token after it was created anew")
			}
		})
	}
}

func TestDestroySparesAnEntryThatAnotherResourceTookOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := w.current()
	successor := w.request(rotation.Rotate, schedule.ReasonCreated)
	successor.Owner = "resource-2"
	w.run(successor) // create_before_destroy: the new resource comes first
	second, _ := w.current()
	_, err := w.engine(w.wire()).Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenIDs: []string{first.TokenID}})
	if err != nil {
		t.Fatal(err)
	}
	if record, _ := w.current(); record == nil || record.TokenID != second.TokenID || !w.accepts(second.Secret) {
		t.Error("the successor's token was harmed")
	}
	if !w.accepts(first.Secret) {
		t.Error("the old token lost its overlap")
	}
}

func TestCancelAfterTheMintStillPublishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	ctx, cancel := context.WithCancel(t.Context())
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := w.send(r)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/api-tokens") {
			cancel()
		}
		return response, err
	})
	result, err := w.engine(wire).Run(ctx, w.request(rotation.Rotate, schedule.ReasonCreated))
	if err != nil || !result.Rotated {
		t.Fatalf("Ctrl-C after the mint: %v, want the token published", err)
	}
	if record, _ := w.current(); record == nil || !w.accepts(record.Secret) || len(w.live()) != 1 {
		t.Error("the token that was minted is not the one that Vault serves")
	}
}

// A list that is fetched for one entry during another entry's create may already contain
// the new token. The token is recognized by the name that was sent.
func TestListFetchedDuringACreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.create()
	w.again()
	w.rollBack(1) // its history is unknown, so a run on it fetches the list again
	neighbor := w.due(schedule.ReasonForced)
	w.at.Path += "-2"
	var engine *rotation.Engine
	engine = w.engine(changed(w.wire(), toPAIStrike(http.MethodPost, tokensPath), func(body string) string {
		if created := engine; created != nil {
			engine = nil
			if _, err := created.Run(t.Context(), neighbor); err != nil {
				t.Errorf("the neighbor's run: %v", err)
			}
		}
		return body
	}))
	result, err := engine.Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
	if err != nil {
		t.Fatal(err)
	}
	if served := mustRecord(w).TokenID; served != result.TokenID {
		t.Errorf("the entry serves %s, and the run says %+v", served, result)
	}
}
