package rotation_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// refusedAsCopy reports whether a run left the entry alone because it was written to
// another Vault.
func refusedAsCopy(err error) bool {
	failure, ok := errors.AsType[*rotation.Error](err)
	return ok && failure.Code == "PS213"
}

func named(tokens []sandbox.Token) (names []string) {
	for _, token := range tokens {
		names = append(names, token.Name)
	}
	return names
}

// TestRestoredCopyOfVault restores a snapshot of one server into another, as for a staging
// environment or a disaster recovery exercise. The copy contains the same entries at the
// same mount. Whatever runs against it, the original's tokens keep working.
func TestRestoredCopyOfVault(t *testing.T) {
	t.Parallel()
	original := startVault(t, testparts.NewDurableVaultServer)
	authority := testparts.NewAuthority(t)
	copied := testparts.NewDurableVaultServer(t, authority)

	w := newWorld(t, original.kv)
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.run(w.due(schedule.ReasonForced)) // so that an older token is in its overlap
	copied.BecomeCopyOf(t, original.VaultServer)
	before, record := w.live(), mustRecord(w)
	if len(before) != 2 {
		t.Fatalf("%d tokens are live, want the current and the replaced one", len(before))
	}

	there := w.on(trusting(t, copied, authority))
	if there.kv.address == w.kv.address || there.version() != w.version() || mustRecord(there).TokenID != record.TokenID {
		t.Fatal("the copy does not hold the same entry")
	}
	w.paistrike.Clock().Advance(40 * day) // the overlap and the period are over
	for name, request := range map[string]rotation.Request{
		"a rotation by force": there.due(schedule.ReasonForced),
		"a rotation by time":  there.request(rotation.Rotate, schedule.ReasonPeriod),
		"a sweep":             there.request(rotation.Sweep, schedule.ReasonNone),
	} {
		if result, err := there.engine(there.wire()).Run(t.Context(), request); !refusedAsCopy(err) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	sight, err := there.engine(there.wire()).Look(t.Context(), there.at)
	if err != nil || !sight.Copied() || !sight.Foreign() {
		t.Errorf("a plan sees %+v, %v", sight.Glance, err)
	}
	_, err = there.engine(there.wire()).Destroy(context.Background(), rotation.DestroyRequest{
		At: there.at, Owner: "resource-1", TokenIDs: []string{record.TokenID}, TokenName: record.TokenName,
	})
	if err != nil && !refusedAsCopy(err) {
		t.Errorf("a destroy: %v", err)
	}
	if got := w.live(); !slices.Equal(named(got), named(before)) || !w.accepts(record.Secret) {
		t.Errorf("then %d of the original's tokens are live: %+v", len(got), got)
	}
	if mustRecord(there).TokenID != record.TokenID {
		t.Error("the copy's entry was written")
	}
	// The original continues to work.
	w.paistrike.Clock().Advance(time.Minute)
	w.run(w.due(schedule.ReasonPeriod))
	if !w.accepts(mustRecord(w).Secret) {
		t.Error("the original has no token that works")
	}
}
