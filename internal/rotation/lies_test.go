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
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// TestLies runs once with lies, then without. The manually created token and the
// management token keep working, no working token is reported as revoked, no overlap is
// shortened, and the entry ends up with one working token.
func TestLies(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		t.Helper()
		store := row.memory()
		liesAbout(t, store, slices.Concat(lies(), store.lies()))
	})
}

// liesAbout tells each lie to each kind of run, over one store.
func liesAbout(t *testing.T, store backend, lies []lie) {
	t.Helper()
	works := map[string]func(w *world, wire http.RoundTripper) ([]string, error){
		"rotate and retire": func(w *world, wire http.RoundTripper) ([]string, error) {
			result, err := w.engine(wire).Run(context.Background(), w.request(rotation.IfDue, schedule.ReasonNone))
			return append(result.Retired, result.Swept...), err
		},
		"destroy": func(w *world, wire http.RoundTripper) ([]string, error) {
			result, err := w.engine(wire).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return result.Revoked, err
		},
	}
	for _, l := range lies {
		for name, work := range works {
			t.Run(name+": "+l.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, store)
				victim, _ := w.paistrike.Mint("made by hand", time.Time{})
				w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
				w.run(w.request(rotation.Rotate, schedule.ReasonForced))
				w.paistrike.Clock().Advance(30 * day) // the first token's overlap is over, the second is due
				current, revision := w.served()
				live, said := len(w.live()), faultyWire{witness: newWitness(w)}
				said.was = revision
				called, err := work(w, l.tell(w, w.wire(), victim))
				said.err = err
				said.truthful(live)
				for _, violation := range said.violations {
					t.Error(violation)
				}
				for _, land := range w.late {
					land()
				}
				for _, id := range called {
					if token := w.tokenOf(id); token.Status == "active" {
						t.Errorf("token %s is called revoked, and still works", id)
					}
				}
				if failure, ok := errors.AsType[*rotation.Error](err); l.says != "" && (!ok || failure.Code != l.says) {
					t.Errorf("error = %v, want %s", err, l.says)
				}
				if strings.Contains(l.name, "Date") && name != "destroy" {
					if _, now := w.served(); now != revision {
						t.Error("a clock that is not believed made a token due")
					}
				}
				if err == nil && name == "destroy" && len(w.live()) > 0 {
					t.Errorf("the destroy ended well, and %d tokens still work", len(w.live()))
				}
				if name != "destroy" && !w.accepts(current.Secret) {
					t.Error("the token that was current has lost its overlap")
				}
				w.afterwards(work, name == "destroy")
				for _, token := range w.paistrike.Tokens() {
					if (token.ID == victim || token.Name == "Terraform") && token.Status != "active" {
						t.Errorf("token %s (%s) was revoked", token.ID, token.Name)
					}
				}
				proof.Add(t, proof.Tally{Kind: proof.Lies, N: 1})
			})
		}
	}
}

// afterwards runs without lies twice, a day apart, and checks what is left.
func (w *world) afterwards(work func(*world, http.RoundTripper) ([]string, error), gone bool) {
	w.t.Helper()
	for range 2 {
		if _, err := work(w, w.wire()); err != nil {
			w.t.Fatalf("clean run: %v", err)
		}
		w.paistrike.Clock().Advance(25 * time.Hour)
	}
	if _, err := work(w, w.wire()); err != nil {
		w.t.Fatalf("clean run: %v", err)
	}
	record, _ := w.served()
	switch live := w.live(); {
	case gone && len(live) > 0:
		w.t.Errorf("%d tokens live after the destroy", len(live))
	case !gone && (record == nil || !w.accepts(record.Secret) || len(live) != 1):
		w.t.Errorf("%d tokens live in the end, want the current one alone", len(live))
	}
}

func (w *world) tokenOf(id string) sandbox.Token {
	for _, token := range w.paistrike.Tokens() {
		if token.ID == id {
			return token
		}
	}
	return sandbox.Token{}
}

// Tokens that a forged record names are not revoked if they do not belong to this entry.
func TestNothingIsRevokedOnTheStoresWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	victim, _ := w.paistrike.Mint("another team's", time.Time{})
	forged := *mustRecord(w)
	management := ""
	for _, token := range w.paistrike.Tokens() {
		if token.Name == "Terraform" {
			management = token.ID
		}
	}
	for _, id := range []string{victim, management} {
		forged.Retiring = append(forged.Retiring, entry.Retiring{ID: id, Name: "x", SupersededAt: firstDay, RevokeAfter: firstDay})
	}
	forged.Base, forged.Gen = "1", 2
	content, err := entry.EncodeRecord("token", forged)
	if err != nil {
		t.Fatal(err)
	}
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": content})
	wire := &recorderWire{next: w.wire()}
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || len(result.Retired) > 0 || wire.count("DELETE") > 0 {
		t.Fatalf("retired %v with %d revocations, %v", result.Retired, wire.count("DELETE"), err)
	}
	if !slices.ContainsFunc(result.Notes, func(m rotation.Message) bool { return m.Code == "PS501" && strings.Contains(m.Detail, victim) }) {
		t.Errorf("nothing says that token %s was left alone: %v", victim, result.Notes)
	}
	request := rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenIDs: []string{victim}, Ending: entry.EndDelete}
	if _, err := w.engine(w.wire()).Destroy(t.Context(), request); err == nil {
		t.Error("a destroy that would end the token that the run itself uses is carried out")
	}
	if len(w.live()) != 1 {
		t.Error("the entry was closed although its destroy was refused")
	}
}

// An imported token has an unstructured name. The person who imported it, and what the
// import recorded, are the warrant to retire it. A scheduled run has no such warrant.
func TestImportedTokenIsRetiredByWhoImportedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	id, _ := w.paistrike.Mint("made by hand", firstDay.Add(60*day))
	request := w.request(rotation.Rotate, schedule.ReasonImported)
	request.Keep = []string{id}
	w.run(request)
	w.paistrike.Clock().Advance(2 * day)
	scheduled := rotation.Request{At: w.at, Stored: true, Wish: rotation.IfDue}
	if result := w.run(scheduled); len(result.Retired) > 0 || w.tokenOf(id).Status != "active" {
		t.Fatalf("a scheduled run retired %v", result.Retired)
	}
	settle := w.request(rotation.Settle, schedule.ReasonNone)
	settle.Imported = []rotation.Imported{{ID: id, Name: "renamed since"}}
	if result := w.run(settle); len(result.Retired) > 0 {
		t.Fatalf("retired %v under a different name than the import saw", result.Retired)
	}
	settle.Imported = []rotation.Imported{{ID: id, Name: "made by hand"}}
	if result := w.run(settle); !slices.Equal(result.Retired, []string{id}) || w.tokenOf(id).Status == "active" {
		t.Errorf("retired %v, want %s", result.Retired, id)
	}
}

// In the wrong account, nothing is minted and nothing is overwritten.
func TestAnotherAccountIsNotTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	mine := w.paistrike
	w.paistrike = testparts.NewAccount(t, "Terraform", firstDay.Add(day))
	for _, request := range []rotation.Request{w.request(rotation.IfDue, schedule.ReasonNone), w.request(rotation.Settle, schedule.ReasonNone), {At: w.at, Stored: true, Wish: rotation.IfDue, MayRepublish: true}} {
		w.fails(request, "PS112")
	}
	if _, err := w.engine(w.wire()).Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1"}); err == nil {
		t.Error("an entry whose token this account does not know was destroyed")
	}
	if len(w.live()) != 0 || w.version() != 1 {
		t.Fatalf("%d tokens in the wrong account, version %d", len(w.live()), w.version())
	}
	// A reason that the user caused counts as consent.
	result := w.run(w.due(schedule.ReasonTriggers))
	if !result.Rotated || !slices.ContainsFunc(result.Notes, func(m rotation.Message) bool { return m.Code == "PS113" }) {
		t.Errorf("asked for: rotated = %t, notes %v", result.Rotated, result.Notes)
	}
	w.paistrike = mine
}

// When the recorded expiry has passed, no account can lose a working token, so the entry
// is repaired.
func TestAnExpiredTokenHealsInAnyAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.paistrike = testparts.NewAccount(t, "Terraform", firstDay.Add(91*day))
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); !result.Rotated {
		t.Error("an entry whose token has expired was not healed")
	}
}

// A copy of Vault, and a Vault at another address, have records with a different identity.
func TestACopiedStoreIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	original := w.identity
	w.identity = "staging.example.com:8200"
	for _, request := range []rotation.Request{w.request(rotation.IfDue, schedule.ReasonNone), w.due(schedule.ReasonForced), {At: w.at, Stored: true, Wish: rotation.IfDue}} {
		w.fails(request, "PS213")
	}
	destroyed, err := w.engine(w.wire()).Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1"})
	if err != nil || len(destroyed.Revoked) > 0 || destroyed.Closed || len(w.live()) != 1 || w.version() != 1 {
		t.Errorf("a destroy on the copy: %+v, %v", destroyed, err)
	}
	w.identity = original
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
}

// A token that PAIStrike's list lacks keeps its overlap.
func TestALaggingListCutsNoOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.run(w.request(rotation.Rotate, schedule.ReasonForced)) // so that the slot is known
	held := mustRecord(w)
	wire := instead(without(w.wire(), held.TokenName), toPAIStrike("GET", "/"+held.TokenID), func(r *http.Request) *http.Response {
		return answer(r, 404, `{"code":"not_found"}`)
	})
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || !result.Rotated || result.Reason != schedule.ReasonNotFound {
		t.Fatalf("%+v, %v", result, err)
	}
	w.paistrike.Clock().Advance(23 * time.Hour)
	w.run(w.request(rotation.Settle, schedule.ReasonNone))
	if !w.accepts(held.Secret) {
		t.Error("a token that was not listed for a moment lost its overlap")
	}
}

// A rotation over a manually written version adopts tokens from the list. A list that is
// older than the entry is rejected, and the next run grants the overlap.
func TestNothingIsAdoptedFromALaggingList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inMemory())
	first := w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.run(w.request(rotation.Rotate, schedule.ReasonForced))
	held := mustRecord(w)
	w.rollBack(1)
	w.paistrike.Revoke(first.TokenID)
	asked := w.request(rotation.IfDue, schedule.ReasonNone)
	_, err := w.engine(without(w.wire(), held.TokenName[:5])).Run(t.Context(), asked)
	if failure, ok := errors.AsType[*rotation.Error](err); !ok || failure.Code != "PS106" || len(w.live()) != 1 || w.version() != 3 {
		t.Fatalf("by a lagging list: %v; version %d, live %d", err, w.version(), len(w.live()))
	}
	if result := w.run(asked); !result.Rotated {
		t.Fatalf("by the whole list: %+v", result)
	}
	w.paistrike.Clock().Advance(23 * time.Hour)
	if w.run(w.request(rotation.Settle, schedule.ReasonNone)); !w.accepts(held.Secret) {
		t.Error("a token that the entry served lost its overlap")
	}
}
