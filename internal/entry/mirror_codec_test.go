package entry_test

import (
	stdcmp "cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestMirrorLayout(t *testing.T) {
	t.Parallel()
	got := entry.EncodeMirror(entry.Mirror{
		State: entry.StateActive, Of: 13, Revision: "15", Slot: "k3v9q2m7xtab",
		Owner: "res-1", Identity: "vault.example.com:8200", Endpoint: "https://paistrike.example.com/api/v1", TokenID: "tok_1", TokenName: "CI/CD Pipeline",
		CreatedAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), NextRotation: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Retiring: []entry.RetiringRef{
			{ID: "late;r@", RevokeAfter: time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC)},
			{ID: "tok_0", RevokeAfter: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)},
		},
		Schedule: schedule.Schedule{Period: "30d", Overlap: "24h", Jitter: "6h", RetireIdle: "true", ExpiresIn: "never", OnRevoked: "error"}, Key: "api_key",
		LastRun: time.Date(2026, 5, 1, 12, 0, 5, 0, time.UTC), LastError: "PS205",
	})
	want := map[string]string{
		"managed_by": "paistrike", "paistrike_schema": "1", "paistrike_state": "active", "paistrike_mirror_of": "13", "paistrike_revision": "15",
		"paistrike_owner": "res-1", "paistrike_identity": "vault.example.com:8200", "paistrike_endpoint": "https://paistrike.example.com/api/v1",
		"paistrike_slot": "k3v9q2m7xtab", "paistrike_token_id": "tok_1", "paistrike_token_name": "CI/CD Pipeline",
		"paistrike_created_at": "2026-05-01T12:00:00Z", "paistrike_expires_at": "never",
		"paistrike_next_rotation":   "2026-06-01T00:00:00Z",
		"paistrike_retiring":        "tok_0@2026-05-02T00:00:00Z;late%3Br@@2026-05-03T00:00:00Z",
		"paistrike_rotation_period": "30d", "paistrike_rotation_schedule": "", "paistrike_rotation_timezone": "", "paistrike_rotation_window": "",
		"paistrike_before_expiry": "", "paistrike_overlap": "24h", "paistrike_expires_in": "never",
		"paistrike_jitter": "6h", "paistrike_retire_when_idle": "true", "paistrike_on_revoked": "error", "paistrike_key": "api_key",
		"paistrike_last_run": "2026-05-01T12:00:05Z", "paistrike_last_error": "PS205",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMirrorOfMuchFitsVault(t *testing.T) {
	t.Parallel()
	m := entry.Mirror{State: entry.StateActive, TokenName: strings.Repeat("é", 300), Slot: "a\nb\x00\xff"}
	for i := range 40 {
		m.Retiring = append(m.Retiring, entry.RetiringRef{ID: "tok_12345678", RevokeAfter: time.Unix(int64(1_800_000_000-i), 0).UTC()})
	}
	custom := entry.EncodeMirror(m)
	if got := custom["paistrike_slot"]; got != "a?b??" {
		t.Errorf("slot %q", got)
	}
	if name := custom["paistrike_token_name"]; len(name) != 512 || !strings.HasPrefix(m.TokenName, name) {
		t.Errorf("name of %d bytes: %q", len(name), name)
	}
	if retiring := custom["paistrike_retiring"]; !strings.HasSuffix(retiring, ";+26") || len(retiring) > 512 {
		t.Errorf("retiring %q", retiring)
	}
	got, err := entry.DecodeMirror(custom)
	if err != nil {
		t.Fatal(err)
	}
	// The tokens that end first are kept.
	if len(got.Retiring) != 14 || !got.Retiring[0].RevokeAfter.Equal(time.Unix(1_800_000_000-39, 0)) {
		t.Errorf("kept %d, from %v", len(got.Retiring), got.Retiring)
	}
}

func TestMirrorReadsBackAsWritten(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[!-~é]{1,20}`))
	rapid.Check(t, func(t *rapid.T) {
		want := entry.Mirror{
			State: rapid.SampledFrom([]entry.State{entry.StateActive, entry.StateTombstone}).Draw(t, "state"),
			Of:    rapid.IntRange(0, 1<<30).Draw(t, "of"),
			Slot:  word.Draw(t, "slot"), Revision: entry.Revision(word.Draw(t, "revision")),
			Owner: word.Draw(t, "owner"), Identity: word.Draw(t, "identity"), Endpoint: word.Draw(t, "endpoint"),
			TokenID: word.Draw(t, "id"), TokenName: word.Draw(t, "name"),
			CreatedAt: times.Draw(t, "created"), ExpiresAt: times.Draw(t, "expires"), NextRotation: times.Draw(t, "next"),
			Schedule: drawSchedule(t, word), Key: word.Draw(t, "key"),
			LastRun: times.Draw(t, "run"), LastError: word.Draw(t, "error"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "retiring") {
			want.Retiring = append(want.Retiring, entry.RetiringRef{ID: rapid.StringN(0, 10, 40).Draw(t, "old"), RevokeAfter: times.Draw(t, "due")})
		}
		custom := entry.EncodeMirror(want)
		for key, value := range custom {
			if len(value) > 512 || strings.ContainsFunc(value, func(c rune) bool { return !unicode.IsPrint(c) }) {
				t.Fatalf("%s: Vault would refuse %q", key, value)
			}
		}
		maps.DeleteFunc(custom, func(_, value string) bool { return value == "" }) // as the patch does
		got, err := entry.DecodeMirror(custom)
		if err != nil {
			t.Fatal(err)
		}
		byDue := func(a, b entry.RetiringRef) int {
			return stdcmp.Or(a.RevokeAfter.Compare(b.RevokeAfter), strings.Compare(a.ID, b.ID))
		}
		slices.SortFunc(want.Retiring, byDue)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

func TestDecodeMirrorRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		key, value string
		bad        string
	}{
		{"a state of its own", "paistrike_state", "canary", "paistrike_state"},
		{"no state", "paistrike_state", "", "paistrike_state"},
		{"a version that is no number", "paistrike_mirror_of", "canary", "paistrike_mirror_of"},
		{"a huge version", "paistrike_mirror_of", "99999999999999999999", "paistrike_mirror_of"},
		{"no schema", "paistrike_schema", "", "paistrike_schema"},
		{"a time that is none", "paistrike_created_at", "never", "paistrike_created_at"},
		{"an expiry that is none", "paistrike_expires_at", "canary", "paistrike_expires_at"},
		{"a retiring token without time", "paistrike_retiring", "tok_0", "paistrike_retiring"},
		{"a retiring token with another time", "paistrike_retiring", "tok_0@canary", "paistrike_retiring"},
		{"a broken escape", "paistrike_retiring", "%zz@2026-05-02T00:00:00Z", "paistrike_retiring"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			custom := entry.EncodeMirror(entry.Mirror{State: entry.StateActive, TokenID: "tok_1"})
			custom[test.key] = test.value
			_, err := entry.DecodeMirror(custom)
			problem, ok := errors.AsType[*entry.MirrorError](err)
			if !ok || problem.Key != test.bad {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the value: %v", err)
			}
		})
	}
	t.Run("a newer release", func(t *testing.T) {
		t.Parallel()
		_, err := entry.DecodeMirror(map[string]string{"managed_by": "paistrike", "paistrike_schema": "2"})
		if problem, ok := errors.AsType[*entry.SchemaError](err); !ok || problem.Version != 2 {
			t.Errorf("error %v", err)
		}
	})
	t.Run("someone else's", func(t *testing.T) {
		t.Parallel()
		_, err := entry.DecodeMirror(map[string]string{"managed_by": "terraform"})
		if _, ok := errors.AsType[*entry.ForeignError](err); !ok {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzDecodeMirror(f *testing.F) {
	f.Add("active", "3", "2026-05-02T00:00:00Z", "a@2026-05-02T00:00:00Z;+3")
	f.Fuzz(func(t *testing.T, state, of, expires, retiring string) {
		m, err := entry.DecodeMirror(map[string]string{
			"managed_by": "paistrike", "paistrike_schema": "1", "paistrike_state": state, "paistrike_mirror_of": of,
			"paistrike_token_id": "tok_1", "paistrike_expires_at": expires, "paistrike_retiring": retiring,
		})
		if err != nil {
			return
		}
		if _, err := entry.DecodeMirror(entry.EncodeMirror(m)); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
	})
}
