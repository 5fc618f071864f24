package job

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// afterwards runs the post step with the given state, at noon, with an unreachable PAIStrike.
func afterwards(t *testing.T, state, inputs map[string]string) (said string, code int) {
	t.Helper()
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	fromRunner := commandFiles(t)
	env := map[string]string{
		"INPUT_ENDPOINT": down.URL, "INPUT_VAULT_ADDRESS": down.URL, "INPUT_VAULT_PATH": "ci/broker", "INPUT_VAULT_ROLE": "ci", "INPUT_MAX_ATTEMPTS": "1",
	}
	for name, value := range inputs {
		env["INPUT_"+name] = value
	}
	for name, value := range state {
		env["STATE_"+name] = value
	}
	var out bytes.Buffer
	m := Machine{Out: &out, Now: func() time.Time { return time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC) }, Getenv: func(name string) string {
		if path := fromRunner(name); path != "" {
			return path
		}
		return env[name]
	}}
	if kept := state[stateInputs]; kept == "" && state != nil {
		env["STATE_"+stateInputs] = `{"endpoint":"` + down.URL + `","vault_address":"` + down.URL + `","vault_path":"ci/broker","vault_role":"ci","max_attempts":"1"}`
	}
	code = m.Post()
	return out.String(), code
}

func TestPostWithoutServers(t *testing.T) {
	t.Parallel()
	const warning = "::warning title=PAIStrike PSA501::PSA501: Token "
	kept := func(changes ...string) map[string]string {
		state := map[string]string{stateNames: `["gha:a"]`, stateID: "tok_1", stateName: "gha:a", stateToken: "pstk_0123456789", stateExpires: "2026-01-05T12:30:00Z"}
		for pair := range slices.Chunk(changes, 2) {
			state[pair[0]] = pair[1]
		}
		return state
	}
	for _, test := range []struct {
		name  string
		state map[string]string
		want  string
		code  int
	}{
		{"main asked for nothing", nil, "", 0},
		{"revoked by main", kept(stateRevoked, "true"), "", 0},
		{"lives on", kept(), warning + "tok_1 (gha:a) was not revoked and works until 2026-01-05T12:30:00Z", 0},
		{"expired by this machine's clock", kept(stateExpires, "2026-01-05T11:00:00Z"), "Token tok_1 has expired, so there is nothing to revoke.", 0},
		{"expired, but another may have been made", kept(stateExpires, "2026-01-05T11:00:00Z", stateNames, `["gha:a","gha:b"]`), warning + "tok_1", 0},
		{"only a name is known", map[string]string{stateNames: `["gha:a"]`}, warning + "(ID not known) (gha:a)", 0},
		{"a state that cannot be read", kept(stateNames, "["), "the state of the main step cannot be read", 0},
		{"inputs that cannot be read", kept(stateInputs, "["), "the state of the main step cannot be read", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			said, code := afterwards(t, test.state, nil)
			if code != test.code || !strings.Contains(said, test.want) || test.want == "" && said != "" {
				t.Errorf("%d: %s", code, said)
			}
			if strings.Count(said, "pstk_0123456789") > 1 {
				t.Errorf("the token is shown: %s", said)
			}
		})
	}
}

// commandFiles returns an environment with the runner's command files in a temporary
// directory.
func commandFiles(t testing.TB) func(string) string {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		env[name] = filepath.Join(dir, name)
		if err := os.WriteFile(env[name], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return env[name] }
}
