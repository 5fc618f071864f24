package entry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

func TestSlotIsWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	if got := entry.Slot("vault.example.com:8200", "uuid", "", "ci/x"); got != "kpakva357tmw" {
		t.Errorf("slot %s: names of tokens that exist carry another one", got)
	}
	parts := rapid.SliceOfN(rapid.StringMatching(`[a-c/]{0,3}`), 1, 5)
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := len(a) == len(b) && strings.Join(a, "|") == strings.Join(b, "|")
		if x, y := entry.Slot(a...), entry.Slot(b...); (x == y) != same || len(x) != entry.SlotLength || strings.Trim(x, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("%q and %q: %s and %s", a, b, x, y)
		}
	})
}

// A mirror contains everything that the record states about the token, except the secret.
func TestMirrorOfARecord(t *testing.T) {
	t.Parallel()
	r := record("canary-s3cret", "12")
	r.Owner, r.Identity, r.Endpoint, r.Key = "res-1", "vault.example.com:8200", "https://paistrike.example.com/api/v1", "api_key"
	for _, field := range r.Schedule.Fields() {
		*field.Value = "of " + field.Key
	}
	old := entry.Retiring{ID: "tok_0", Name: "old", RevokeAfter: r.CreatedAt.Add(24 * time.Hour)}
	m := entry.MirrorOf(r, "13", []entry.Retiring{old}, r.CreatedAt.Add(time.Hour))
	got, err := entry.DecodeMirror(entry.EncodeMirror(m))
	if err != nil || !got.Says(m) {
		t.Fatalf("read back %+v, %v", got, err)
	}
	if got.Of != r.Gen || got.Revision != "13" || got.Owner != r.Owner || got.Identity != r.Identity || got.Endpoint != r.Endpoint || got.Schedule != r.Schedule || got.Key != "api_key" || got.TokenID != r.TokenID {
		t.Errorf("mirror %+v of %+v", got, r)
	}
	for key, value := range entry.EncodeMirror(m) {
		if strings.Contains(value, "s3cret") {
			t.Errorf("%s shows the secret", key)
		}
	}
	for name, change := range map[string]func(*entry.Mirror){
		"another revision":   func(m *entry.Mirror) { m.Revision = "14" },
		"another generation": func(m *entry.Mirror) { m.Of++ },
		"another owner":      func(m *entry.Mirror) { m.Owner = "res-2" },
		"another schedule":   func(m *entry.Mirror) { m.Schedule.Overlap = "1h" },
		"nothing retiring":   func(m *entry.Mirror) { m.Retiring = nil },
	} {
		other := m
		change(&other)
		if m.Says(other) {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

func TestReadMirrorOfAnyone(t *testing.T) {
	t.Parallel()
	if managed, m, problem := entry.ReadMirror(map[string]string{"team": "blue"}); managed || problem != nil || m.State != "" {
		t.Errorf("someone else's: %t, %+v, %v", managed, m, problem)
	}
	if managed, _, problem := entry.ReadMirror(map[string]string{"managed_by": "paistrike"}); !managed || problem == nil {
		t.Errorf("damaged: %t, %v", managed, problem)
	}
}

func TestFailureKeepsItsCause(t *testing.T) {
	t.Parallel()
	err := error(&entry.Failure{Code: "PS312", Summary: "Vault mount does not exist", Facts: "Vault has no secrets engine at kv/.", Err: entry.ErrNoPlace})
	if got, want := err.Error(), "Vault mount does not exist: Vault has no secrets engine at kv/.: the place does not exist"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !errors.Is(err, entry.ErrNoPlace) {
		t.Error("the cause is lost")
	}
}
