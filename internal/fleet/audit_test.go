package fleet_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

var usualLimits = fleet.Limits{UnusedAfter: 30 * day, MaxExpiresIn: 90 * day, WarnBefore: 14 * day, JobTime: 6 * time.Hour}

func (w *world) audit(sweep bool) fleet.AuditReport {
	w.Helper()
	engine, store := w.process(w.wire)
	entries, err := fleet.Walk(w.Context(), store, folder, 4)
	if err != nil {
		w.Fatal(err)
	}
	report, err := fleet.Audit(w.Context(), engine, entries, fleet.AuditOptions{Limits: usualLimits, Concurrency: 4, Sweep: sweep})
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// byHand creates a token as a user of PAIStrike's page does.
func (w *world) byHand(name string, life time.Duration) (id, secret string) {
	var ends time.Time
	if life > 0 {
		ends = w.paistrike.Clock().Now().Add(life)
	}
	return w.paistrike.Mint(name, ends)
}

// use calls PAIStrike with each secret, as a consumer does.
func (w *world) use(secrets ...string) {
	w.Helper()
	for _, secret := range secrets {
		if !w.accepts(secret) {
			w.Error("a token that should work does not")
		}
	}
}

// account sets up an account with a good token, every finding once, and tokens that must not
// be findings: one in flight, one past its overlap, and one of another folder.
func (w *world) account() (want []string, orphan, inFlight string) {
	w.Helper()
	expect := func(code fleet.Code, of string) { want = append(want, string(code)+" "+of) }
	clock := w.paistrike.Clock()

	w.provision("ci/dead", "Dead", schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"})
	w.provision("ci/missing", "Missing", schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"})
	w.provision("ci/overdue", "Overdue", monthly)
	w.provision("ci/stray", "Stray", schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"})
	w.provision("ci/ripe", "Ripe", schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"})
	w.rotateOnly("ci/ripe")
	_, unused := w.byHand("Unused", 80*day)
	w.use(unused)
	w.byHand("Never used", 80*day)

	clock.Advance(32 * day)
	w.provision("elsewhere/a", "Elsewhere", monthly)
	w.byHand("Endless", 0)
	w.byHand("Long", 120*day)
	w.byHand("Twice", 80*day)
	w.byHand("Twice", 80*day)
	w.provision("ci/short", "Short", schedule.Schedule{ExpiresIn: "10d"})
	w.byHand("gha:org/repository:42.1:scan:abcdefghij", 2*day)
	w.byHand("exec:a laptop:-.-:-:abcdefghij", 5*time.Hour) // expired when the audit runs
	w.byHand("Nightly audit-run-abcdefghij234567", 23*time.Hour)
	w.byHand("By hand", 80*day)
	w.byHand("A second longer", 90*day+time.Second)

	w.revokeOf("ci/dead")
	w.forgetOf("ci/missing")
	orphan = w.mintFor("ci/stray", 1)
	clock.Advance(7 * time.Hour)
	inFlight = w.mintFor("ci/stray", 2)
	w.byHand("gha:org/repository:43.1:scan:abcdefghij", time.Hour)
	w.byHand("a: b:org/repository:43.1:scan:abcdefghij", time.Hour)
	w.byHand("Nightly audit-run-zyxwvutsrq765432", time.Hour)
	w.use(w.secret("ci/overdue"), w.secret("ci/stray"), w.secret("ci/ripe"), w.management)

	expect(fleet.DeadInVault, "ci/dead")
	expect(fleet.MissingToken, "ci/missing")
	expect(fleet.Overdue, "ci/overdue")
	expect(fleet.Expiring, "ci/short")
	expect(fleet.Orphan, "ci/stray")
	expect(fleet.JobLeftover, "Nightly audit-run-abcdefghij234567")
	expect(fleet.JobLeftover, "gha:org/repository:42.1:scan:abcdefghij")
	expect(fleet.NoExpiry, "Endless")
	expect(fleet.LongLife, "Long")
	expect(fleet.NeverUsed, "Never used")
	expect(fleet.Unused, "Unused")
	expect(fleet.DuplicateLabel, "Twice")
	return want, orphan, inFlight
}

// rotateOnly rotates the token of one entry, as a user may request.
func (w *world) rotateOnly(path string) {
	w.Helper()
	engine, _ := w.process(w.wire)
	report, err := fleet.Rotate(w.Context(), engine, []entry.Location{{Mount: "secret", Path: path}}, fleet.Options{Force: true})
	if err != nil || report.Rotated != 1 {
		w.Fatal(report, err)
	}
}

// mintFor leaves a token like a run interrupted between mint and publication.
func (w *world) mintFor(path string, gen int) (id string) {
	w.Helper()
	served, ok := rotation.ParseName(w.custom(path)["paistrike_token_name"])
	if !ok {
		w.Fatalf("%s serves no token", path)
	}
	served.Gen, served.Nonce = gen, fmt.Sprintf("aaaaaaa%c", 'a'+gen)
	id, _ = w.byHand(served.String(), 80*day)
	return id
}

func (w *world) revokeOf(path string) { w.paistrike.Revoke(w.custom(path)["paistrike_token_id"]) }
func (w *world) forgetOf(path string) { w.paistrike.Forget(w.custom(path)["paistrike_token_id"]) }

// said summarizes the findings of an audit.
func said(report fleet.AuditReport) []string {
	var found []string
	for _, f := range report.Findings {
		of := f.Path
		if of == "" {
			of = f.TokenName
		}
		found = append(found, string(f.Code)+" "+of)
	}
	return found
}

// An audit of an account with every kind of finding reports each once and nothing else, and
// writes nothing.
func TestAuditFindsEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want, _, _ := w.account()
	w.listen()
	report := w.audit(false)
	if diff := cmp.Diff(append(want, "no_expiry Management"), said(report), cmpSorted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.writes() != 0 || w.calls()["vault data GET"] != 0 {
		t.Errorf("an audit wrote, or read a secret: %v", w.calls())
	}
	for _, f := range report.Findings {
		if f.Detail == "" || f.Fix == "" || f.Severity == "" {
			t.Errorf("%+v says too little", f)
		}
	}
	if report.Errors != 4 || report.Warnings != 9 || report.Swept != 0 || report.Failed != 0 {
		t.Errorf("%d errors, %d warnings, %d swept, %d failed", report.Errors, report.Warnings, report.Swept, report.Failed)
	}
}

var cmpSorted = cmp.Transformer("sorted", func(list []string) []string { return slices.Sorted(slices.Values(list)) })

// A sweep revokes only the orphan: neither a token that may still be published, nor one past
// its overlap, which the next rotation revokes.
func TestSweepTouchesTheOrphanAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, orphan, inFlight := w.account()
	before := map[string]string{}
	for _, token := range w.paistrike.Tokens() {
		before[token.ID] = token.Status
	}
	w.listen()
	report := w.audit(true)
	for _, token := range w.paistrike.Tokens() {
		switch changed := token.Status != before[token.ID]; {
		case token.ID == orphan && !changed:
			t.Error("the orphan lives")
		case token.ID == inFlight && changed:
			t.Error("a token in flight was revoked")
		case token.ID != orphan && changed:
			t.Errorf("%s (%s) was revoked", token.ID, token.Name)
		}
	}
	if c := w.calls(); c["paistrike DELETE"] != 1 || c["paistrike POST"] != 0 || c["vault data PUT"] != 0 || c["vault data GET"] != 1 {
		t.Errorf("calls %v, want one revocation and one record read", c)
	}
	i := slices.IndexFunc(report.Findings, func(f fleet.Finding) bool { return f.Code == fleet.Orphan })
	if report.Swept != 1 || !report.Findings[i].Swept {
		t.Errorf("report: %d swept, %+v", report.Swept, report.Findings[i])
	}
	if again := w.audit(false); slices.ContainsFunc(again.Findings, func(f fleet.Finding) bool { return f.Code == fleet.Orphan }) {
		t.Error("the next audit still finds an orphan")
	}
}

// An orphan in use must have been published once: it is reported but never swept.
func TestOrphanInUseIsNotSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	served, _ := rotation.ParseName(w.custom("ci/a")["paistrike_token_name"])
	served.Gen, served.Nonce = 1, "aaaaaaaa"
	_, secret := w.byHand(served.String(), 80*day)
	w.paistrike.Clock().Advance(time.Hour)
	w.use(secret)
	report := w.audit(true)
	if !slices.Contains(said(report), "orphan ci/a") || report.Swept != 0 || !w.accepts(secret) {
		t.Errorf("%v, %d swept", said(report), report.Swept)
	}
}

// Unreadable metadata is a finding with the path of the entry.
func TestAuditOfUnreadableMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	w.patch("ci/a", map[string]any{"paistrike_overlap": "long"})
	w.provision("ci/b", "B", monthly)
	report := w.audit(true)
	if got := said(report); !slices.Contains(got, "stale_metadata ci/a") || report.Failed != 0 {
		t.Errorf("%v, %d failed", got, report.Failed)
	}
	w.write("ci/b", map[string]any{"password": "by hand"})
	if report := w.audit(true); report.Failed != 0 {
		t.Errorf("%+v", report.Entries)
	}
}

// If custom metadata is outdated or missing, only the record knows which token is served. The
// audit then reports no orphan, but reports the metadata.
func TestAuditWithoutCustomMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	testparts.Ask(w, http.MethodPost, w.vault+"/v1/secret/metadata/ci/a", w.root, map[string]any{"custom_metadata": map[string]string{}}, nil)
	report := w.audit(true)
	if diff := cmp.Diff([]string{"stale_metadata ci/a", "no_expiry Management"}, said(report)); diff != "" || report.Swept != 0 {
		t.Errorf("%d swept, (-want +got):\n%s", report.Swept, diff)
	}
}

// If Vault denies access to one entry, only that entry fails.
func TestAuditWhereOneEntryIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	w.provision("ci/b", "B", monthly)
	inner := w.wire
	w.wire = wireFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/v1/secret/metadata/ci/a" {
			return nil, errKilled
		}
		return inner.RoundTrip(r)
	})
	report := w.audit(false)
	if report.Failed != 1 || report.Entries.At(0).Problem.Code != "PS301" || report.Entries.At(1).TokenID == "" {
		t.Errorf("%+v", report.Entries)
	}
}
