package fleet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// Entries that a run does not understand, or that belong to someone else, are reported with
// their paths and remain unchanged, although all of them are long due.
func TestWhatIsNotUnderstoodIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		path    string
		prepare func(path string)
		outcome fleet.Outcome
		says    string // a code, or part of the note
	}{
		{"ci/newer", w.spoiled("paistrike_schema", "2"), fleet.Failed, "PS212"},
		{"ci/newer-record", func(path string) {
			w.provision(path, path, monthly)
			w.write(path, map[string]any{"token": "theirs", "paistrike": `{"v":2}`})
		}, fleet.Failed, "PS212"},
		{"ci/copied", w.spoiled("paistrike_slot", "aaaaaaaaaaaa"), fleet.Failed, "PS213"},
		{"ci/tombstone", w.destroyed, fleet.Skipped, "Terraform destroyed its token"},
		{"ci/foreign", func(path string) { w.write(path, map[string]any{"password": "by hand"}) }, fleet.Skipped, "not written by paistrike"},
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
		if report.Entries.Len() != len(cases) {
			t.Fatalf("%s: %d entries, want %d", name, report.Entries.Len(), len(cases))
		}
		for _, tt := range cases {
			entry := at(report.Entries, tt.path)
			said := entry.Note
			if entry.Problem != nil {
				said = entry.Problem.Code
			}
			if tt.path == "ci/newer-record" && options.DryRun {
				continue // a dry run does not read the record, which is the cause
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

// Damaged custom metadata prevents no rotation: the run reads the record, rotates by its
// schedule, and rewrites the metadata. A dry run does not read records and reports that the
// run would.
func TestDamagedMetadataIsMendedFromTheRecord(t *testing.T) {
	t.Parallel()
	damages := []struct{ key, value string }{
		{"paistrike_rotation_period", "monthly"},
		{"paistrike_rotation_schedule", "@daily"},
		{"paistrike_rotation_schedule", "TZ=0 * * * *"},
		{"paistrike_overlap", strings.Repeat("9", 512)},
		{"paistrike_expires_in", "-90d"},
		{"paistrike_on_revoked", "explode"},
		{"paistrike_created_at", "yesterday"},
		{"paistrike_mirror_of", "-1"},
		{"paistrike_retiring", strings.Repeat("x;", 200)},
		{"paistrike_state", "tombstone"},
		{"paistrike_revision", "7"},
		{"managed_by", "someone"},
	}
	for name, force := range map[string]bool{"when due": false, "forced": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i, d := range damages {
				w.spoiled(d.key, d.value)(fmt.Sprintf("ci/%02d", i))
			}
			w.paistrike.Clock().Advance(60 * day)
			w.listen()
			if report := w.rotate(fleet.Options{Force: force, DryRun: true}); report.Due != len(damages) || w.writes() != 0 {
				t.Errorf("a dry run: %d would be looked at, %d writes", report.Due, w.writes())
			}
			report := w.rotate(fleet.Options{Force: force})
			for i, e := range report.Entries.All() {
				if e.Outcome != fleet.Rotated {
					t.Errorf("%v: %s is %s (%s, %+v)", damages[i], e.Path, e.Outcome, e.Note, e.Problem)
				}
			}
			w.listen()
			if again := w.rotate(fleet.Options{}); again.Current != len(damages) || w.writes() != 0 || w.calls()["vault data GET"] != 0 {
				t.Errorf("metadata was not mended: %+v, %v", again.Entries, w.calls())
			}
		})
	}
}

// spoiled provisions an entry and changes one value of its custom metadata.
func (w *world) spoiled(key, value string) func(path string) {
	return func(path string) {
		w.provision(path, path, monthly)
		w.patch(path, map[string]any{key: value})
	}
}

// destroyed provisions an entry and destroys it, as Terraform does.
func (w *world) destroyed(path string) {
	w.Helper()
	made := w.provision(path, path, monthly)
	engine, _ := w.process(w.wire)
	_, err := engine.Destroy(w.Context(), rotation.DestroyRequest{
		At: entry.Location{Mount: "secret", Path: path, Key: "token"}, Owner: ownerOf(path), TokenIDs: []string{made.TokenID}, Ending: entry.EndDelete,
	})
	if err != nil {
		w.Fatal(err)
	}
}
