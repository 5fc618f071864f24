package fleet_test

import (
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// reshaped returns a world whose PAIStrike has the API of another service.
func reshaped(t *testing.T, shape *sandbox.Shape) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account := testparts.NewAccountOn(t, "Management", sandbox.Options{Start: firstDay, Shape: shape, Prefix: shape.Prefix})
	w := &world{
		TB: t, paistrike: account, api: account.Listen(t, nil), management: account.Management,
		settings: paistrike.Config{Prefix: shape.Settings.Prefix},
	}
	var err error
	w.settings.Routes, err = paistrike.ParseRoutes(string(shape.Settings.Routes))
	must(err)
	w.settings.Auth, err = paistrike.ParseAuth(string(shape.Settings.Auth))
	must(err)
	w.connect()
	return w
}

// serves reports whether the service accepts the token in the entry.
func (w *world) serves(path string) bool {
	w.Helper()
	cfg := w.settings
	cfg.Endpoint, cfg.Token, cfg.Sleep = w.api, secret.New(w.secret(path)), noSleep
	client, err := paistrike.New(cfg)
	if err != nil {
		w.Fatal(err)
	}
	_, err = client.Self(w.Context())
	return err == nil
}

// With every API shape, configured only by settings: a token is created, rotated with an
// overlap and retired by the scheduler; it is replaced after someone revoked it; a lost
// response leaves no token behind; the audit reports exactly the known facts; and destroy
// leaves nothing.
func TestLifeOfATokenInEveryShape(t *testing.T) {
	t.Parallel()
	shapes, err := sandbox.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := reshaped(t, shape)
			const path = "ci/paistrike"
			clock := w.paistrike.Clock()
			expect := func(story string, live int) {
				t.Helper()
				if w.live() != live || !w.serves(path) {
					t.Errorf("%s: %d tokens are live, want %d; the entry serves a working one: %v", story, w.live(), live, w.serves(path))
				}
			}
			rotate := func(story string, live int) {
				t.Helper()
				if report := w.rotate(fleet.Options{}); len(paths(report, fleet.Failed)) > 0 {
					t.Fatalf("%s: %+v", story, report.Entries)
				}
				expect(story, live)
			}
			w.provision(path, "CI/CD Pipeline", monthly)
			expect("the main job", 1)

			clock.Advance(30 * day)
			rotate("a rotation", 2)
			clock.Advance(25 * time.Hour)
			rotate("the end of the overlap", 1)

			for _, token := range w.paistrike.Tokens() {
				if token.ID != w.paistrike.ManagementID {
					w.paistrike.Revoke(token.ID)
				}
			}
			rotate("heal", 1)

			clock.Advance(30 * day)
			w.paistrike.AddFaults(sandbox.Fault{Method: "POST", Path: shape.Prefix + shape.Create.Path, Lose: sandbox.LoseResponse})
			rotate("a lost create", 2)
			clock.Advance(25 * time.Hour)
			rotate("the end of the second overlap", 1)

			byHand, _ := w.byHand("By hand", 60*day)
			clock.Advance(40 * day)
			w.auditFindsWhatIsTold()
			w.paistrike.Revoke(byHand)

			engine, _ := w.process(w.wire)
			if _, err := engine.Destroy(t.Context(), rotation.DestroyRequest{At: entry.Location{Mount: "secret", Path: path, Key: "token"}, Owner: ownerOf(path), Ending: entry.EndDelete}); err != nil {
				t.Fatal(err)
			}
			if w.live() != 0 {
				t.Errorf("%d tokens are live after the end", w.live())
			}
		})
	}
}

// auditFindsWhatIsTold audits an account with an overdue entry and a token unused for 40
// days. The latter is a finding only if the service reports the last use.
func (w *world) auditFindsWhatIsTold() {
	w.Helper()
	engine, _ := w.process(w.wire)
	all, err := engine.Tokens(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	tokens := slices.Collect(all)
	i := slices.IndexFunc(tokens, func(t paistrike.Token) bool { return t.Name == "By hand" })
	if i < 0 {
		w.Fatalf("the token is not listed: %+v", tokens)
	}
	found := map[fleet.Code]bool{}
	for _, finding := range w.audit(false).Findings {
		found[finding.Code] = found[finding.Code] || finding.TokenID == tokens[i].ID || slices.Contains([]fleet.Code{fleet.Overdue, fleet.NoExpiry, fleet.LongLife}, finding.Code) && finding.Path != ""
	}
	if !found[fleet.Overdue] {
		w.Errorf("the overdue entry is not found: %v", found)
	}
	if told := !tokens[i].Untold.Has(paistrike.LastUsed); told != (found[fleet.NeverUsed] || found[fleet.Unused]) {
		w.Errorf("the last use is told: %v, and the audit found %v", told, found)
	}
	if found[fleet.NoExpiry] || found[fleet.LongLife] {
		w.Errorf("no token lives longer than it may, save for the rest of a day, and the audit found %v", found)
	}
}
