package fleet_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// What a run does not understand, or what is not its own, is reported with its path
// and left as it is: nothing is written, although all of it is long due.
func TestWhatIsNotUnderstoodIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		path    string
		prepare func(path string)
		outcome fleet.Outcome
		says    string // a code, or part of the note
	}{
		{"ci/period", w.spoiled("paistrike_rotation_period", "monthly"), fleet.Failed, "PS311"},
		{"ci/cron", w.spoiled("paistrike_rotation_schedule", "@daily"), fleet.Failed, "PS311"},
		{"ci/cron-zone", w.spoiled("paistrike_rotation_schedule", "TZ=0 * * * *"), fleet.Failed, "PS311"},
		{"ci/long", w.spoiled("paistrike_overlap", strings.Repeat("9", 512)), fleet.Failed, "PS311"},
		{"ci/negative", w.spoiled("paistrike_expires_in", "-90d"), fleet.Failed, "PS311"},
		{"ci/answer", w.spoiled("paistrike_on_revoked", "explode"), fleet.Failed, "PS311"},
		{"ci/time", w.spoiled("paistrike_created_at", "yesterday"), fleet.Failed, "PS311"},
		{"ci/mirror", w.spoiled("paistrike_mirror_of", "-1"), fleet.Failed, "PS311"},
		{"ci/retiring", w.spoiled("paistrike_retiring", strings.Repeat("x;", 200)), fleet.Failed, "PS311"},
		{"ci/newer", w.spoiled("paistrike_schema", "2"), fleet.Failed, "PS212"},
		{"ci/newer-record", func(path string) {
			w.provision(path, path, monthly)
			w.write(path, map[string]any{"token": "theirs", "paistrike": `{"v":2}`})
		}, fleet.Failed, "PS212"},
		{"ci/copied", w.spoiled("paistrike_slot", "aaaaaaaaaaaa"), fleet.Skipped, "did not write"},
		{"ci/unmanaged", w.spoiled("managed_by", "somebody"), fleet.Skipped, "terraform apply"},
		{"ci/tombstone", w.destroyed, fleet.Skipped, "destroyed by Terraform"},
		{"ci/foreign", func(path string) { w.write(path, map[string]any{"password": "by hand"}) }, fleet.Skipped, "did not write"},
		{"ci/empty", func(path string) {
			testparts.Ask(w, http.MethodPost, w.vault+"/v1/secret/metadata/"+path, w.root, map[string]any{"custom_metadata": map[string]string{"team": "blue"}}, nil)
		}, fleet.Skipped, "empty"},
	}
	for _, tt := range cases {
		tt.prepare(tt.path)
	}
	w.paistrike.Clock().Advance(60 * day)
	w.listen()
	for name, options := range map[string]fleet.Options{"a run": {}, "a forced run": {Force: true}, "a dry run": {DryRun: true}} {
		report := w.rotate(options)
		if len(report.Entries) != len(cases) {
			t.Fatalf("%s: %d entries, want %d", name, len(report.Entries), len(cases))
		}
		for _, tt := range cases {
			i := slices.IndexFunc(report.Entries, func(e fleet.Entry) bool { return e.Path == tt.path })
			entry := report.Entries[i]
			said := entry.Note
			if entry.Problem != nil {
				said = entry.Problem.Code
			}
			if tt.path == "ci/newer-record" && options.DryRun {
				continue // only the record says so, which a dry run does not read
			}
			if entry.Outcome != tt.outcome || !strings.Contains(said, tt.says) {
				t.Errorf("%s: %s is %s (%s), want %s (%s)", name, entry.Path, entry.Outcome, said, tt.outcome, tt.says)
			}
		}
	}
	if w.writes() != 0 {
		t.Errorf("something was written: %v", w.calls())
	}
}

// spoiled provisions an entry and changes one value of its custom metadata by hand.
func (w *world) spoiled(key, value string) func(path string) {
	return func(path string) {
		w.provision(path, path, monthly)
		w.patch(path, map[string]any{key: value})
	}
}

// destroyed provisions an entry and ends it, as Terraform does.
func (w *world) destroyed(path string) {
	w.Helper()
	made := w.provision(path, path, monthly)
	engine, _ := w.process(w.wire)
	_, err := engine.Destroy(w.Context(), rotation.DestroyRequest{
		At: entry.Location{Mount: "secret", Path: path, Key: "token"}, Owner: ownerOf(path), TokenIDs: []string{made.TokenID}, OnDestroy: rotation.OnDestroyDelete,
	})
	if err != nil {
		w.Fatal(err)
	}
}
