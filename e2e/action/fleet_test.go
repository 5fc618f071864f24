package action_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// patrol is a workflow with one of the sub-actions.
const patrol = `
on: push
permissions:
  id-token: write
  contents: read
jobs:
  patrol:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./action/%s
        id: patrol
        with:
          endpoint: %q
          vault_address: %q
          vault_role: %s
          vault_prefix: ci/fleet
          broker_path: broker/paistrike
          vault_ca_cert: %q
          audience: %q
          binary_path: %q
%s      - run: echo "outputs=${{ toJSON(steps.patrol.outputs.%s) }}"
`

const away = 31 * 24 * time.Hour

// newFleet returns a Vault with the published policies and 30 entries, ten per schedule. The
// entries with a period of 30 days are due.
func newFleet(t *testing.T) (w *world, due []string) {
	t.Helper()
	w = newWorldAt(t, time.Now().Add(-away)) //nolint:forbidigo // Vault's clock is the real one
	for role, policy := range map[string]string{"paistrike-rotate": "rotator", "paistrike-audit": "auditor"} {
		rules, err := os.ReadFile(filepath.Join("..", "..", "examples", "policies", policy+".hcl"))
		if err != nil {
			t.Fatal(err)
		}
		w.vault.Must(t, http.MethodPut, "sys/policies/acl/"+role, w.vault.Token, map[string]string{"policy": string(rules)}, nil)
		w.vault.Must(t, http.MethodPost, "auth/jwt/role/"+role, w.vault.Token, map[string]any{
			"role_type": "jwt", "user_claim": "repository_id", "bound_audiences": []string{audience}, "bound_claims": map[string]string{"repository_id": "7"},
			"token_policies": role, "token_ttl": "900", "token_max_ttl": "900", "token_type": "service",
		}, nil)
	}
	w.vault.Must(t, http.MethodPost, "secret/data/broker/paistrike", w.vault.Token, map[string]any{"data": map[string]string{"token": w.broker}}, nil)
	engine := w.terraform(t)
	for i := range 30 {
		text := schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"}
		path := fmt.Sprintf("ci/fleet/team-%d/%02d", i%3, i)
		switch i % 3 {
		case 0:
			text.Period = "30d"
			due = append(due, path)
		case 1:
			text.Period, text.Cron, text.Window, text.ExpiresIn = "", "17 3 1 1 *", "24h", "400d"
		}
		policy, err := text.Policy(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = engine.Run(t.Context(), rotation.Request{
			At: entry.Location{Mount: "secret", Path: path}, Label: fmt.Sprintf("Integration %d", i), Policy: policy, Schedule: text,
			Owner: path, Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.paistrike.Clock().Advance(away)
	return w, due
}

// terraform returns the engine that provisions the entries.
func (w *world) terraform(t *testing.T) *rotation.Engine {
	t.Helper()
	client, err := paistrike.New(paistrike.Config{Endpoint: w.api, Token: secret.New(w.broker)})
	if err != nil {
		t.Fatal(err)
	}
	store, err := vault.New(vault.Config{
		Address: w.vault.URL, CACertFile: w.vault.CAFile, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(w.vault.Token)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: client}, vault.NewStore(store))
}

// patrol runs one of the sub-actions in a job and returns the log.
func (w *world) patrol(t *testing.T, name, role, inputs, output string) (log string, err error) {
	t.Helper()
	return w.act(t, fmt.Sprintf(patrol, name, w.api, w.vault.URL, role, w.vault.CAFile, audience, w.program, inputs, output), nothing)
}

// serves checks that every entry contains a working token, and returns the versions of the
// entries.
func (w *world) serves(t *testing.T) map[string]int {
	t.Helper()
	versions := map[string]int{}
	for i := range 30 {
		path := fmt.Sprintf("ci/fleet/team-%d/%02d", i%3, i)
		var got struct {
			Data struct {
				Data     map[string]string
				Metadata struct{ Version int }
			}
		}
		w.vault.Must(t, http.MethodGet, "secret/data/"+path, w.vault.Token, nil, &got)
		if status := w.use(t, got.Data.Data["token"]); status != http.StatusOK {
			t.Errorf("PAIStrike answers %d to the token of %s", status, path)
		}
		versions[path] = got.Data.Metadata.Version
	}
	return versions
}

// rotatedOnce checks that exactly the due entries have a second version.
func rotatedOnce(t *testing.T, versions map[string]int, due []string) {
	t.Helper()
	for path, version := range versions {
		want := 1
		if slices.Contains(due, path) {
			want = 2
		}
		if version != want {
			t.Errorf("%s is at version %d, want %d", path, version, want)
		}
	}
}

// spotless checks the rules for every run, whatever its result.
func (w *world) spotless(t *testing.T, log string) {
	t.Helper()
	w.conceals(t, log, append(w.secrets(), w.broker)...)
	audit, err := os.ReadFile(w.vault.AuditFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(audit)) {
		// A run that mints nothing does not need the mount's version limit.
		if strings.Contains(line, "permission denied") && !strings.Contains(line, `"path":"secret/config"`) {
			t.Errorf("a published policy lacks something: %s", line)
		}
	}
}

// With only the published policy, a scheduled workflow rotates exactly the due entries. The
// next run has nothing to do, and the audit, which cannot read secrets, reports the same.
func TestScheduledRotation(t *testing.T) {
	t.Parallel()
	w, due := newFleet(t)
	log, err := w.patrol(t, "rotate", "paistrike-rotate", "", "rotated")
	if err != nil || !strings.Contains(log, `outputs="10"`) {
		t.Fatalf("%v\n%s", err, log)
	}
	rotatedOnce(t, w.serves(t), due)
	w.spotless(t, log)

	again, err := w.patrol(t, "rotate", "paistrike-rotate", "", "rotated")
	if err != nil || !strings.Contains(again, `outputs="0"`) || !strings.Contains(again, "30 not due") {
		t.Fatalf("%v\n%s", err, again)
	}
	rotatedOnce(t, w.serves(t), due)
	w.spotless(t, again)

	audit, err := w.patrol(t, "audit", "paistrike-audit", "          unused_after: 60d\n          max_expires_in: 400d\n", "errors")
	if err != nil || !strings.Contains(audit, `outputs="0"`) || !strings.Contains(audit, "no_expiry") {
		t.Errorf("%v\n%s", err, audit)
	}
	w.spotless(t, audit)
}

// Two concurrent workflows rotate each token once.
func TestTwoScheduledRotationsAtOnce(t *testing.T) {
	t.Parallel()
	w, due := newFleet(t)
	var both sync.WaitGroup
	logs := make([]string, 2)
	for i := range logs {
		both.Go(func() {
			var err error
			if logs[i], err = w.patrol(t, "rotate", "paistrike-rotate", "", "rotated"); err != nil {
				t.Errorf("%v\n%s", err, logs[i])
			}
		})
	}
	both.Wait()
	rotatedOnce(t, w.serves(t), due)
	w.spotless(t, logs[0]+logs[1])
}

// After a run is killed, every consumer still has a working token, and the next run completes
// the work.
func TestKilledScheduledRotation(t *testing.T) {
	t.Parallel()
	w, due := newFleet(t)
	fifth := make(chan struct{})
	w.paistrike.WhenCreated(func(made int) {
		if made == 35 { // 30 were provisioned
			close(fifth)
		}
	})
	said, err := w.killed(t, fifth)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() {
		t.Fatalf("the run was not killed: %v\n%s", err, said)
	}
	for path, version := range w.serves(t) {
		if version > 1 && !slices.Contains(due, path) {
			t.Errorf("%s was replaced before its time", path)
		}
	}
	log, err := w.patrol(t, "rotate", "paistrike-rotate", "", "rotated")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	rotatedOnce(t, w.serves(t), due)
	live := 0
	for _, secret := range w.secrets() {
		if w.use(t, secret) == http.StatusOK {
			live++
		}
	}
	if live != 40 {
		t.Errorf("%d tokens live, want 30 and the 10 that were replaced", live)
	}
	w.spotless(t, unmasked(said)+log)
}

// unmasked returns the output without mask commands, which the runner does not log.
func unmasked(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "::add-mask::") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// killed runs the program's main step and kills it when the channel is closed.
func (w *world) killed(t *testing.T, when <-chan struct{}) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, "main", "rotate")
	cmd.Env = []string{
		"INPUT_ENDPOINT=" + w.api, "INPUT_VAULT_ADDRESS=" + w.vault.URL, "INPUT_VAULT_CA_CERT=" + w.vault.CAFile, "INPUT_AUDIENCE=" + audience,
		"INPUT_VAULT_ROLE=paistrike-rotate", "INPUT_VAULT_PREFIX=ci/fleet", "INPUT_BROKER_PATH=broker/paistrike",
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + w.issuer.url + "/token?x=y", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + w.issuer.request,
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-when:
		_ = cmd.Process.Kill()
	case <-ctx.Done():
	}
	err := cmd.Wait()
	return said.String(), err
}

// The report of a run is JSON and contains no secret.
func TestReportOfARotation(t *testing.T) {
	t.Parallel()
	w, due := newFleet(t)
	cmd := exec.CommandContext(t.Context(), w.program, "rotate", "--vault-prefix", "ci/fleet", "--broker-path", "broker/paistrike", "--json")
	cmd.Env = []string{
		"PAISTRIKE_ENDPOINT=" + w.api, "VAULT_ADDR=" + w.vault.URL, "VAULT_CACERT=" + w.vault.CAFile, "VAULT_TOKEN=" + w.vault.Token,
	}
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Rotated int
		Entries []struct{ Path, Outcome, Reason string }
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	var rotated []string
	for _, e := range report.Entries {
		if e.Outcome == "rotated" {
			rotated = append(rotated, e.Path)
		}
	}
	slices.Sort(due)
	if report.Rotated != 10 || !slices.Equal(rotated, due) {
		t.Errorf("rotated %v, want %v", rotated, due)
	}
	w.spotless(t, string(raw))
}

// The published policies of the two workflows allow nothing else: the rotation cannot destroy
// anything, the audit can read no secret except the management token, and neither can access
// other paths.
func TestPoliciesOfTheWorkflowsAllowNoMore(t *testing.T) {
	t.Parallel()
	w, _ := newFleet(t)
	for policy, refused := range map[string][][2]string{
		"paistrike-rotate": {
			{http.MethodPut, "secret/delete/ci/fleet/team-0/00"}, {http.MethodPut, "secret/destroy/ci/fleet/team-0/00"},
			{http.MethodDelete, "secret/metadata/ci/fleet/team-0/00"}, {http.MethodPost, "secret/data/broker/paistrike"},
			{http.MethodGet, "secret/data/other"}, {http.MethodGet, "sys/policies/acl/paistrike-rotate"},
		},
		"paistrike-audit": {
			{http.MethodGet, "secret/data/ci/fleet/team-0/00"}, {http.MethodPost, "secret/data/ci/fleet/team-0/00"},
			{http.MethodPatch, "secret/metadata/ci/fleet/team-0/00"}, {http.MethodPost, "secret/data/broker/paistrike"},
			{http.MethodGet, "secret/metadata/other"},
		},
	} {
		var token struct {
			Auth struct {
				ClientToken string `json:"client_token"`
			}
		}
		w.vault.Must(t, http.MethodPost, "auth/token/create", w.vault.Token, map[string]any{"policies": []string{policy}, "ttl": "5m"}, &token)
		for _, call := range refused {
			if status := w.vault.Ask(t, call[0], call[1], token.Auth.ClientToken, map[string]any{"versions": []int{1}}, nil); status != http.StatusForbidden {
				t.Errorf("%s: %s %s is answered with %d, want 403", policy, call[0], call[1], status)
			}
		}
	}
}
