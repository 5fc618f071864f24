package rotation_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// setBack restores the entry to an earlier version including the version numbers, as the
// restore of a backup does.
func (w *world) setBack(version int) {
	w.t.Helper()
	var contents []any
	for n := 1; n <= version; n++ {
		contents = append(contents, w.vault(http.MethodGet, fmt.Sprintf("data/%s?version=%d", w.at.Path, n), nil)["data"])
	}
	custom := w.vault(http.MethodGet, "metadata/"+w.at.Path, nil)["custom_metadata"]
	w.vault(http.MethodDelete, "metadata/"+w.at.Path, nil)
	for _, content := range contents {
		w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": content})
	}
	if version > 0 {
		w.vault(http.MethodPost, "metadata/"+w.at.Path, map[string]any{"custom_metadata": custom})
	}
}

// use makes a consumer call PAIStrike an hour after it read the record.
func (w *world) use(record *entry.Record) {
	w.t.Helper()
	w.paistrike.Clock().Advance(time.Hour)
	if !w.accepts(record.Secret) {
		w.t.Fatalf("token %s is refused", record.TokenID)
	}
}

// TestHistorySetBack restores a backup of Vault that lacks the tokens that consumers use.
// None of them stops working without an overlap.
func TestHistorySetBack(t *testing.T) {
	t.Parallel()
	kv := startKV(t)
	for _, tt := range []struct {
		name      string
		rotations int           // after the first token
		to        int           // the version in the backup
		after     time.Duration // the time since the last rotation
	}{
		{"in the overlap of what it has", 1, 1, 20 * time.Hour},
		{"when what it has is revoked", 1, 1, 3 * day},
		{"two versions behind", 2, 1, 3 * day},
		{"to before the first version", 1, 0, 3 * day},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kv)
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
			for range tt.rotations {
				record, _ := w.current()
				w.use(record)
				w.run(w.request(rotation.Rotate, schedule.ReasonForced))
			}
			held, _ := w.current()
			w.use(held)
			w.paistrike.Clock().Advance(tt.after)
			w.run(w.request(rotation.Settle, schedule.ReasonNone))
			w.setBack(tt.to)
			w.healed(held, tt.to > 0)
		})
	}
}

// healed follows the entry through the days after its history was restored, for a consumer
// that still uses a token. A store that has a record but never published the token in use
// may be a copy, so a person must confirm that it was restored.
func (w *world) healed(held *entry.Record, asks bool) {
	w.t.Helper()
	settle := w.request(rotation.Settle, schedule.ReasonNone)
	settle.MayRepublish = true
	for range 6 {
		if asks {
			if result := w.fails(settle, "PS215"); len(result.Retired)+len(result.Swept) > 0 {
				w.t.Fatalf("revoked %v and %v beside a token that this store never published", result.Retired, result.Swept)
			}
		} else {
			w.run(settle)
		}
		w.paistrike.Clock().Advance(2 * time.Hour)
	}
	if !w.accepts(held.Secret) {
		w.t.Fatalf("token %s, which a consumer holds, was revoked without an overlap", held.TokenID)
	}
	adopting := w.request(rotation.Rotate, schedule.ReasonForced)
	adopting.Adopt = asks
	w.run(adopting)
	if record, _ := w.current(); record == nil || !w.accepts(record.Secret) || !w.accepts(held.Secret) {
		w.t.Fatal("after the next rotation the new token or the one that a consumer holds does not work")
	}
	w.paistrike.Clock().Advance(25 * time.Hour)
	w.run(settle)
	if record, _ := w.current(); len(w.live()) != 1 || !w.accepts(record.Secret) {
		w.t.Errorf("after its overlap %d tokens are live, want the current one alone", len(w.live()))
	}
}

// TestSnapshotRestored does the same with Vault's own backup.
func TestSnapshotRestored(t *testing.T) {
	t.Parallel()
	v := startVault(t, testparts.NewDurableVaultServer)
	w := newWorld(t, v.kv)
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	snapshot := v.Snapshot(t)
	w.run(w.request(rotation.Rotate, schedule.ReasonForced))
	held, _ := w.current()
	w.use(held)
	w.paistrike.Clock().Advance(20 * time.Hour)
	v.Restore(t, snapshot)
	if _, version := w.current(); version != 1 {
		t.Fatalf("version %d, want what the snapshot has", version)
	}
	w.healed(held, true)
}

// TestRightsThatAreMissing removes permissions from the policy, one at a time. Each is
// reported before a token is created.
func TestRightsThatAreMissing(t *testing.T) {
	t.Parallel()
	v := startVault(t, testparts.NewVaultServer)
	//nolint:paralleltest // they share a policy
	for _, tt := range []struct{ name, old, new string }{
		{"create", `["create", "read", "update"]`, `["read", "update"]`},
		{"update", `["create", "read", "update"]`, `["create", "read"]`},
		{"patch of metadata", `["read", "patch"]`, `["read"]`},
		{"read of metadata", `["read", "patch"]`, `["patch"]`},
		{"everything", rights, nothing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v.policy(t, strings.Replace(rights, tt.old, tt.new, 1))
			w := newWorld(t, v.kv)
			w.login = staticToken(v.token(t))
			_, err := w.engine(w.wire()).Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated))
			var failure *rotation.Error
			if !errors.As(err, &failure) || failure.Code != "PS302" {
				t.Errorf("error = %v, want PS302", err)
			}
			for _, token := range w.paistrike.Tokens() {
				if token.Name != "Terraform" {
					t.Errorf("token %s was created", token.Name)
				}
			}
			v.policy(t, rights)
			w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
		})
	}
}
