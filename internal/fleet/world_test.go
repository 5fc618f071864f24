package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const day = 24 * time.Hour

// firstDay is the initial time of both servers' clocks, a Monday.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// world is a PAIStrike account and a Vault with a folder of entries.
type world struct {
	testing.TB
	paistrike        *testparts.Account
	api, vault       string
	root, management string
	wire             http.RoundTripper
	settings         paistrike.Config // settings for an unusual API
}

func newWorld(t testing.TB) *world {
	t.Helper()
	account := testparts.NewAccount(t, "Management", firstDay)
	w := &world{TB: t, paistrike: account, api: account.Listen(t, nil), management: account.Management}
	w.connect()
	return w
}

// connect starts a Vault on PAIStrike's clock, and the transport to both.
func (w *world) connect() {
	w.Helper()
	w.vault, w.root = testparts.KV(w, testparts.WithClock(w.api+"/_sandbox/clock"))
	wire := &http.Transport{MaxIdleConnsPerHost: 8}
	w.Cleanup(wire.CloseIdleConnections)
	w.wire = wire
}

// process returns the engine of a run that uses wire.
func (w *world) process(wire http.RoundTripper) (*rotation.Engine, *vault.Store) {
	w.Helper()
	cfg := w.settings
	cfg.Endpoint, cfg.Token, cfg.Transport, cfg.Sleep = w.api, secret.New(w.management), wire, noSleep
	client, err := paistrike.New(cfg)
	if err != nil {
		w.Fatal(err)
	}
	there, err := vault.New(vault.Config{
		Address: w.vault, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(w.root)}, Transport: wire, Sleep: noSleep,
	})
	if err != nil {
		w.Fatal(err)
	}
	store := vault.NewStore(there)
	return rotation.New(rotation.PAIStrike{Client: client}, store, rotation.WithSleep(noSleep), rotation.WithNow(w.paistrike.Clock().Now)), store
}

func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// provision creates a token with a schedule, as Terraform does.
func (w *world) provision(path, label string, text schedule.Schedule) rotation.Result {
	w.Helper()
	policy, err := text.Policy(time.Time{})
	if err != nil {
		w.Fatal(err)
	}
	engine, _ := w.process(w.wire)
	result, err := engine.Run(w.Context(), rotation.Request{
		At: entry.Location{Mount: "secret", Path: path, Key: "token"}, Label: label, Policy: policy, Schedule: text,
		Owner: ownerOf(path), Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
	})
	if err != nil {
		w.Fatal(err)
	}
	return result
}

func ownerOf(path string) string { return "resource of " + path }

var folder = entry.Location{Mount: "secret", Path: "ci"}

// rotate runs once over the folder, in a new process.
func (w *world) rotate(o fleet.Options) fleet.Report {
	w.Helper()
	return w.rotateOver(w.wire, o)
}

func (w *world) rotateOver(wire http.RoundTripper, o fleet.Options) fleet.Report {
	w.Helper()
	engine, store := w.process(wire)
	entries, err := fleet.Walk(w.Context(), store, folder, 4)
	if err != nil {
		w.Fatal(err)
	}
	o.Concurrency = 4
	report, err := fleet.Rotate(w.Context(), engine, entries, o)
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// secret returns the secret that a consumer reads.
func (w *world) secret(path string) string {
	w.Helper()
	var got struct {
		Data struct {
			Data map[string]string
		}
	}
	testparts.Ask(w, http.MethodGet, w.vault+"/v1/secret/data/"+path, w.root, nil, &got)
	return got.Data.Data["token"]
}

// accepts reports whether PAIStrike accepts a token.
func (w *world) accepts(secret string) bool { return w.paistrike.Accepts(secret) }

// patch changes custom metadata manually.
func (w *world) patch(path string, custom map[string]any) {
	w.Helper()
	testparts.Ask(w, http.MethodPost, w.vault+"/v1/secret/metadata/"+path, w.root, map[string]any{"custom_metadata": w.customWith(path, custom)}, nil)
}

func (w *world) customWith(path string, change map[string]any) map[string]any {
	w.Helper()
	custom := map[string]any{}
	for key, value := range w.custom(path) {
		custom[key] = value
	}
	for key, value := range change {
		custom[key] = value
	}
	return custom
}

func (w *world) custom(path string) map[string]string {
	w.Helper()
	var got struct {
		Data struct {
			CustomMetadata map[string]string `json:"custom_metadata"`
		}
	}
	testparts.Ask(w, http.MethodGet, w.vault+"/v1/secret/metadata/"+path, w.root, nil, &got)
	return got.Data.CustomMetadata
}

// write writes a secret manually.
func (w *world) write(path string, data map[string]any) {
	w.Helper()
	testparts.Ask(w, http.MethodPost, w.vault+"/v1/secret/data/"+path, w.root, map[string]any{"data": data}, nil)
}

// listen clears the journals of both servers.
func (w *world) listen() {
	w.Helper()
	w.paistrike.ResetJournal()
	testparts.ForgetJournal(w, w.vault)
}

// calls counts the requests since [world.listen], by kind.
func (w *world) calls() map[string]int {
	w.Helper()
	counts := map[string]int{}
	for _, call := range w.paistrike.Journal() {
		counts["paistrike "+call.Method]++
	}
	for _, call := range testparts.Journal(w, w.vault) {
		switch {
		case strings.Contains(call.Query, "list=true"):
			counts["vault LIST"]++
		case strings.HasPrefix(call.Path, "/v1/secret/metadata/"):
			counts["vault metadata "+call.Method]++
		case strings.HasPrefix(call.Path, "/v1/secret/data/"):
			counts["vault data "+call.Method]++
		default:
			counts["vault other"]++
		}
	}
	return counts
}

// writes counts the requests that modify data.
func (w *world) writes() int {
	w.Helper()
	c := w.calls()
	return c["paistrike POST"] + c["paistrike DELETE"] + c["vault data PUT"] + c["vault data POST"] + c["vault metadata PATCH"] + c["vault metadata POST"]
}

// wantMetadataWrites fails the test unless metadata was written want times since
// [world.listen].
func (w *world) wantMetadataWrites(of string, want int) {
	w.Helper()
	if c := w.calls(); c["vault metadata PATCH"] != want || c["vault metadata POST"] != 0 {
		w.Errorf("%s wrote metadata %d times, want %d: %v", of, c["vault metadata PATCH"], want, c)
	}
}

// live returns the number of working tokens, without the management token.
func (w *world) live() int { return len(w.paistrike.Usable()) }

// paths returns the paths of entries with an outcome.
func paths(report fleet.Report, outcome fleet.Outcome) []string {
	var found []string
	for _, entry := range report.Entries.All() {
		if entry.Outcome == outcome {
			found = append(found, entry.Path)
		}
	}
	return found
}

// mixed provisions 30 entries in three folders. A third of them are due after a month: by a
// period of 30 days, by one of 45, and by a schedule on the first of the month.
func (w *world) mixed() (due []string) {
	w.Helper()
	for i := range 30 {
		text := schedule.Schedule{Period: "45d", Overlap: "24h", ExpiresIn: "90d"}
		path := fmt.Sprintf("ci/team-%d/%02d", i%3, i)
		switch i % 3 {
		case 0:
			text.Period = "30d"
			due = append(due, path)
		case 1:
			text.Period, text.Cron, text.Window = "", "17 3 1 * *", "24h"
		}
		w.provision(path, fmt.Sprintf("Integration %d", i), text)
	}
	slices.Sort(due)
	return due
}

// at returns the entry of a report with a path.
func at(entries fleet.Entries, path string) fleet.Entry {
	for _, e := range entries.All() {
		if e.Path == path {
			return e
		}
	}
	return fleet.Entry{}
}
