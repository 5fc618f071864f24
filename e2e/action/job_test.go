package action_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// job is the workflow of these tests. The steps after the token differ.
const job = `
on: push
permissions:
  id-token: write
  contents: read
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./action
        id: paistrike
        with:
          endpoint: %q
          vault_address: %q
          vault_role: paistrike-mint
          vault_path: ci/broker
          vault_ca_cert: %q
          audience: %q
          binary_path: %q
%s`

// call uses the exported token as a user's program would, and carelessly logs it.
const call = `
const url = process.argv[2];
fetch(url + '/api/v1/api-tokens/self', { headers: { authorization: 'Bearer ' + process.env.PAISTRIKE_API_TOKEN } })
  .then((answer) => console.log('PAIStrike answered ' + answer.status + ' to ' + process.env.PAISTRIKE_API_TOKEN));
`

// workspace returns a repository with the action and a workflow.
func (w *world) workspace(t *testing.T, workflow string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil { //nolint:gosec // a folder of the test
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"action.yml", "main.js", "post.js", "launch.js", "program.js", "download.js", "release.json", "rotate/action.yml", "rotate/main.js", "audit/action.yml", "audit/main.js",
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "action", name))
		if err != nil {
			t.Fatal(err)
		}
		write("action/"+name, string(text))
	}
	write("call.js", call)
	write(".github/workflows/scan.yml", workflow)
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"remote", "add", "origin", "https://github.com/acme/app.git"}, {"add", "."},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "a workflow"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, said)
		}
	}
	return dir
}

// run runs a job that gets a token and executes steps.
func (w *world) run(t *testing.T, steps string, heard func(line string, interrupt func())) (log string, err error) {
	t.Helper()
	return w.act(t, fmt.Sprintf(job, w.api, w.vault.URL, w.vault.CAFile, audience, w.program, steps), heard)
}

// act runs a workflow. It calls heard with each line of the log and a function that
// interrupts the run.
func (w *world) act(t *testing.T, workflow string, heard func(line string, interrupt func())) (log string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // enough for a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, testparts.Act(t), "push", "-W", ".github/workflows/scan.yml", "-P", "ubuntu-latest=-self-hosted",
		"--env", "ACTIONS_ID_TOKEN_REQUEST_URL="+w.issuer.url+"/token?api-version=2.0", "--env", "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+w.issuer.request)
	cmd.Dir = w.workspace(t, workflow)
	// act would pass this machine's environment on to the steps.
	cmd.Env = []string{"PATH=" + testparts.PathWith(t, cmp.Or(w.node, testparts.Node24(t))), "HOME=" + t.TempDir()}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		heard(lines.Text(), func() { _ = cmd.Process.Signal(os.Interrupt) })
	}
	err = cmd.Wait()
	return all.String() + stderr.String(), err
}

func nothing(string, func()) {}

// eachNode runs a test with the Node.js of GitHub's runners and, if this machine has an older
// one as self-hosted runners may, with that too.
func eachNode(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	nodes := map[string]string{"runners": ""}
	version, err := exec.CommandContext(t.Context(), testparts.Node(t), "--version").Output() //nolint:gosec // the node of this machine
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(version), "v24.") {
		nodes[strings.TrimSpace(string(version))] = testparts.Node(t)
	}
	for name, node := range nodes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.node = node
			story(t, w)
		})
	}
}

// over checks the state after a job has ended in any way.
func (w *world) over(t *testing.T, log string) {
	t.Helper()
	minted := w.secrets()
	if len(minted) != 1 {
		t.Fatalf("%d tokens were made, want one\n%s", len(minted), log)
	}
	if status := w.use(t, minted[0]); status != http.StatusUnauthorized {
		t.Errorf("after the job PAIStrike answers %d to the token\n%s", status, log)
	}
	w.conceals(t, log, append(minted, w.broker)...)
	if n := len(w.issuer.tokens()); n != 1 {
		t.Errorf("%d identity tokens were asked for, want one", n)
	}
	audit, err := os.ReadFile(w.vault.AuditFile)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(audit), "auth/token/revoke-self") || strings.Contains(string(audit), "permission denied") {
		t.Error("the Vault token was not revoked, or was used for what it may not do")
	}
	if t.Failed() {
		t.Log(log)
	}
}

// conceals fails the test if the log contains a secret.
func (w *world) conceals(t *testing.T, log string, secrets ...string) {
	t.Helper()
	for _, secret := range append(append(secrets, w.issuer.request), w.issuer.tokens()...) {
		if strings.Contains(log, secret) {
			t.Errorf("a secret is in the log:\n%s", strings.ReplaceAll(log, secret, "[HERE]"))
		}
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		log, err := w.run(t, fmt.Sprintf(`
      - run: node call.js %s
      - run: echo "id=${{ steps.paistrike.outputs.token_id }} source=${{ steps.paistrike.outputs.source }} token=${{ steps.paistrike.outputs.token }}"
`, w.api), nothing)
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		for _, want := range []string{"PAIStrike answered 200 to ***", "id=tok_", "source=minted token=***"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q\n%s", want, log)
			}
		}
		w.over(t, log)
	})
}

func TestJobInWhichALaterStepFails(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		log, err := w.run(t, fmt.Sprintf(`
      - run: node call.js %s
      - run: exit 3
`, w.api), nothing)
		if err == nil || !strings.Contains(log, "PAIStrike answered 200") {
			t.Fatalf("%v\n%s", err, log)
		}
		w.over(t, log)
	})
}

func TestJobThatIsInterrupted(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		log, err := w.run(t, `
      - run: node -e "console.log('waiting'); setTimeout(() => {}, 120000)"
`, func(line string, interrupt func()) {
			if strings.HasSuffix(strings.TrimSpace(line), "| waiting") {
				interrupt()
			}
		})
		if err == nil {
			t.Fatalf("it ended well:\n%s", log)
		}
		w.over(t, log)
	})
}

// The response to a create is lost, and PAIStrike is unavailable until the step has failed.
// The post step finds the token by its name and revokes it.
func TestJobWhoseCreateIsLost(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		w.paistrike.AddFaults(sandbox.Fault{Method: http.MethodPost, Lose: sandbox.LoseResponse}, sandbox.Fault{Method: http.MethodGet, Status: http.StatusServiceUnavailable, Count: -1})
		log, err := w.run(t, "          max_attempts: 1\n", func(line string, _ func()) {
			if strings.Contains(line, "Failure - Main ./action") {
				w.paistrike.ClearFaults()
			}
		})
		if err == nil {
			t.Fatalf("it ended well:\n%s", log)
		}
		made := 0
		for _, token := range w.paistrike.Tokens() {
			if strings.Contains(token.Name, "acme/app") {
				if made++; token.Status != "revoked" {
					t.Errorf("%s is %s\n%s", token.Name, token.Status, log)
				}
			}
		}
		if made != 1 {
			t.Errorf("%d tokens were made, want one\n%s", made, log)
		}
		w.spotless(t, log)
	})
}

// Each error text of a real Vault selects the message that explains it.
func TestRefusalsOfARealVault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := func(name string, changes map[string]any) {
		t.Helper()
		body := map[string]any{
			"role_type": "jwt", "user_claim": "repository_id", "bound_audiences": []string{audience}, "token_policies": "default",
			"bound_claims": map[string]string{"repository_id": "7"},
		}
		for key, value := range changes {
			body[key] = value
		}
		w.vault.Must(t, http.MethodPost, "auth/jwt/role/"+name, w.vault.Token, body, nil)
	}
	role("other-audience", map[string]any{"bound_audiences": []string{"https://other.example.com"}})
	role("other-environment", map[string]any{"bound_claims": map[string]string{"environment": "staging"}})
	role("other-subject", map[string]any{"bound_subject": "repo:acme/app:ref:refs/heads/main"})
	role("browser", map[string]any{"role_type": "oidc", "allowed_redirect_uris": []string{"http://localhost:1"}})
	role("no-audience", map[string]any{"bound_audiences": []string{}})
	for _, test := range []struct{ role, path, mount, want string }{
		{"other-audience", "ci/broker", "", "PSA204"},
		{"no-audience", "ci/broker", "", "PSA203"},
		{"other-environment", "ci/broker", "", "PSA205"},
		{"other-subject", "ci/broker", "", "PSA205"},
		{"browser", "ci/broker", "", "PSA207"},
		{"nobody", "ci/broker", "", "PSA206"},
		{"paistrike-mint", "ci/broker", "github", "PSA206"},
		{"paistrike-mint", "ci/other", "", "PSA301"},
		{"paistrike-mint", "ci/paistrike", "", "PSA301"},
		{"paistrike-read", "ci/broker", "", "PSA301"},
	} {
		t.Run(test.want+" "+test.role+" "+test.path, func(t *testing.T) {
			t.Parallel()
			said, err := w.step(t, "INPUT_VAULT_ROLE="+test.role, "INPUT_VAULT_PATH="+test.path, "INPUT_VAULT_AUTH_PATH="+test.mount)
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
				t.Fatal(err)
			}
			if !strings.Contains(said, "::"+test.want+": ") {
				t.Errorf("want %s:\n%s", test.want, said)
			}
			if test.want == "PSA205" && !strings.Contains(said, "environment = production") && !strings.Contains(said, "sub = repo:acme@42/app@7") {
				t.Errorf("the claims of the run are not shown:\n%s", said)
			}
		})
	}
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		t.Parallel()
		if said, err := w.step(t, "INPUT_VAULT_CA_CERT="); err == nil || !strings.Contains(said, "::PSA202: ") {
			t.Errorf("%v\n%s", err, said)
		}
	})
}

// step runs only the main step.
func (w *world) step(t *testing.T, changes ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.program, "main")
	cmd.Env = append([]string{
		"INPUT_ENDPOINT=" + w.api, "INPUT_VAULT_ADDRESS=" + w.vault.URL, "INPUT_VAULT_CA_CERT=" + w.vault.CAFile, "INPUT_AUDIENCE=" + audience,
		"INPUT_VAULT_ROLE=paistrike-mint", "INPUT_VAULT_PATH=ci/broker", "INPUT_MAX_ATTEMPTS=1",
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + w.issuer.url + "/token?x=y", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + w.issuer.request,
	}, changes...)
	said, err := cmd.CombinedOutput()
	return string(said), err
}
