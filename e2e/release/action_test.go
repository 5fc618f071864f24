//go:build release

package release_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// host returns the platform of this machine.
func host() string { return runtime.GOOS + "_" + runtime.GOARCH }

// committed returns the digests in the tagged commit.
func committed(t *testing.T) map[string]string {
	t.Helper()
	var release struct {
		Version string
		SHA256  map[string]string
	}
	if err := json.Unmarshal(read(t, variable(t, "RELEASE_ACTION"), "action", "release.json"), &release); err != nil {
		t.Fatal(err)
	}
	if release.Version != variable(t, "RELEASE_VERSION") || len(release.SHA256) != len(targets()) {
		t.Fatalf("the tagged commit is of version %q, for %d systems", release.Version, len(release.SHA256))
	}
	return release.SHA256
}

func unpacked(t *testing.T, elements ...string) io.Reader {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(read(t, elements...)))
	if err != nil {
		t.Fatalf("%v: %v", elements, err)
	}
	return packed
}

// For each platform there is the program that the launcher downloads and an archive for
// users, with the license and completions for four shells. Both contain the program of the
// tagged commit.
func TestProgramsAreThoseOfTheTaggedCommit(t *testing.T) {
	t.Parallel()
	folder, version, names := published(t)
	want := committed(t)
	for _, target := range targets() {
		program, err := io.ReadAll(unpacked(t, folder, "paistrike-action_"+target+".gz"))
		if err != nil || digest(program) != want[target] {
			t.Errorf("%s: SHA-256 is %s, committed as %s, %v", target, digest(program), want[target], err)
		}
		name := "paistrike-action"
		if strings.HasPrefix(target, "windows_") {
			name += ".exe"
		}
		files := map[string][]byte{}
		archive := tar.NewReader(unpacked(t, folder, "paistrike-action_"+version+"_"+target+".tar.gz"))
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if files[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
			if executable := header.Mode&0o111 != 0; executable != (header.Name == name) {
				t.Errorf("%s: %s has mode %o", target, header.Name, header.Mode)
			}
		}
		if len(files) != 6 || !bytes.Equal(files[name], program) || !bytes.Contains(files["LICENSE"], []byte("Mozilla Public License")) {
			t.Errorf("%s: the archive holds %d files", target, len(files))
		}
		for file, begins := range map[string]string{
			"paistrike-action.bash": "# bash completion", "_paistrike-action": "#compdef paistrike-action", "paistrike-action.fish": "# fish completion", "paistrike-action.ps1": "# PowerShell completion",
		} {
			if !bytes.HasPrefix(files["completions/"+file], []byte(begins)) || !bytes.Contains(files["completions/"+file], []byte("audit")) {
				t.Errorf("%s: completions/%s is %q", target, file, files["completions/"+file])
			}
		}
	}
	for _, name := range names {
		if target, ok := strings.CutPrefix(name, "paistrike-action_"); ok && strings.HasSuffix(name, ".gz") {
			target = strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(target, ".gz"), ".tar"), version+"_")
			if !slices.Contains(targets(), target) {
				t.Errorf("%s is for a system that nobody asked for", name)
			}
		}
	}
}

// The action's list of checksums is correct and complete.
func TestSumsOfTheAction(t *testing.T) {
	t.Parallel()
	folder, version, _ := published(t)
	lines := 0
	for line := range strings.Lines(string(read(t, folder, "paistrike-action_"+version+"_SHA256SUMS"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if lines++; digest(read(t, folder, name)) != sum {
			t.Errorf("%s is listed with another SHA-256", name)
		}
	}
	if lines != 2*len(targets()) {
		t.Errorf("%d files are listed, want 2 for each of %v", lines, targets())
	}
}

// Each program has a bill of materials that lists its modules.
func TestBillsOfMaterials(t *testing.T) {
	t.Parallel()
	folder, version, names := published(t)
	bills := 0
	for _, name := range names {
		if !strings.HasSuffix(name, ".sbom.json") {
			continue
		}
		bills++
		var bill struct {
			BOMFormat  string
			Metadata   struct{ Component struct{ Version string } }
			Components []struct{ Name string }
		}
		if err := json.Unmarshal(read(t, folder, name), &bill); err != nil {
			t.Fatal(err)
		}
		linked := slices.ContainsFunc(bill.Components, func(c struct{ Name string }) bool { return c.Name == "github.com/aws/smithy-go" })
		if bill.BOMFormat != "CycloneDX" || bill.Metadata.Component.Version != "v"+version || !linked {
			t.Errorf("%s: %s of %s with %d components", name, bill.BOMFormat, bill.Metadata.Component.Version, len(bill.Components))
		}
	}
	if _, _, archives := zips(t); bills != len(archives)+len(targets()) {
		t.Errorf("%d bills of materials for %d programs", bills, len(archives)+len(targets()))
	}
}

// mirror serves the assets over TLS, as binary_mirror does. alter may change them.
type mirror struct {
	url, authority string

	mu   sync.Mutex
	seen []string
}

func newMirror(t *testing.T, alter func([]byte) []byte) *mirror {
	t.Helper()
	folder, version, _ := published(t)
	authority := testparts.NewAuthority(t)
	pair, err := tls.X509KeyPair(authority.Issue(t, "localhost"))
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{authority: authority.File}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.seen = append(m.seen, r.URL.Path)
		m.mu.Unlock()
		name, ok := strings.CutPrefix(r.URL.Path, "/v"+version+"/")
		raw, err := os.ReadFile(filepath.Join(folder, filepath.Base(name)))
		if !ok || err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(alter(raw)) //nolint:gosec // a program
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // the test expects the client to reject the connection
	server.StartTLS()
	t.Cleanup(server.Close)
	m.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return m
}

func (m *mirror) asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

// job is a job on a hosted runner that uses the action in a folder.
type job struct {
	t      *testing.T
	node   string
	action string
	env    []string
	state  string
}

func newJob(t *testing.T, action string, env ...string) *job {
	t.Helper()
	dir := t.TempDir()
	j := &job{t: t, node: variable(t, "RELEASE_NODE"), action: action, state: filepath.Join(dir, "GITHUB_STATE")}
	j.env = append([]string{"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + filepath.Join(dir, "temp"), "RUNNER_ENVIRONMENT=github-hosted"}, env...)
	if err := os.Mkdir(filepath.Join(dir, "temp"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		j.env = append(j.env, name+"="+filepath.Join(dir, name))
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// step runs main or post, and passes the state of main on to post.
func (j *job) step(name string) (string, error) {
	j.t.Helper()
	lines := strings.Split(string(read(j.t, j.state)), "\n")
	env := j.env
	for i := 0; i+2 < len(lines); i += 3 { // NAME<<DELIMITER, the value, DELIMITER
		name, _, _ := strings.Cut(lines[i], "<<")
		env = append(env, "STATE_"+name+"="+lines[i+1])
	}
	cmd := exec.CommandContext(j.t.Context(), j.node, filepath.Join(j.action, name+".js")) //nolint:gosec // node
	cmd.Env = env
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// The tagged action downloads the released program from a mirror over TLS, mints a token with
// it, and revokes it without another download. So does the action in its own repository.
func TestTaggedActionRunsTheReleasedProgram(t *testing.T) {
	t.Parallel()
	account := testparts.NewAccount(t, "broker", time.Time{})
	api := account.Listen(t, nil)
	vault, root := testparts.KV(t)
	keep(t, vault, root, account.Management)
	for name, action := range map[string]string{"the tag": filepath.Join(variable(t, "RELEASE_ACTION"), "action"), "the thin repository": variable(t, "RELEASE_THIN")} {
		m := newMirror(t, func(raw []byte) []byte { return raw })
		j := newJob(t, action, "INPUT_BINARY_MIRROR="+m.url, "SSL_CERT_FILE="+m.authority, "INPUT_ENDPOINT="+api, "INPUT_MODE=mint",
			"INPUT_VAULT_ADDRESS="+vault, "INPUT_VAULT_AUTH_METHOD=token", "INPUT_VAULT_TOKEN="+root, "INPUT_VAULT_PATH=ci/broker")
		if said, err := j.step("main"); err != nil || !strings.Contains(said, "minted") {
			t.Fatalf("%s: %v\n%s", name, err, said)
		}
		if said, err := j.step("post"); err != nil || !strings.Contains(said, "is revoked") {
			t.Fatalf("%s: %v\n%s", name, err, said)
		}
		if asked := m.asked(); len(asked) != 1 {
			t.Errorf("%s: downloaded %v, want one program", name, asked)
		}
	}
}

func keep(t *testing.T, vault, root, broker string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"data": map[string]string{"token": broker}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, vault+"/v1/secret/data/ci/broker", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", root)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

// A mirror with a program that differs in one byte, or with an untrusted certificate, is
// rejected before any server receives a request.
func TestTaggedActionRunsNothingElse(t *testing.T) {
	t.Parallel()
	action := filepath.Join(variable(t, "RELEASE_ACTION"), "action")
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was asked for", r.Method, r.URL) }))
	t.Cleanup(silent.Close)
	env := []string{"INPUT_ENDPOINT=" + silent.URL, "INPUT_VAULT_ADDRESS=" + silent.URL}
	drifted := newMirror(t, func(raw []byte) []byte {
		packed, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Error(err)
		}
		program, err := io.ReadAll(packed)
		if err != nil {
			t.Error(err)
		}
		program[len(program)/2] ^= 1
		var again bytes.Buffer
		pack := gzip.NewWriter(&again)
		_, _ = pack.Write(program) // a buffer never fails
		_ = pack.Close()
		return again.Bytes()
	})
	said, err := newJob(t, action, append(env, "INPUT_BINARY_MIRROR="+drifted.url, "SSL_CERT_FILE="+drifted.authority)...).step("main")
	if err == nil || !strings.Contains(said, "PSA601") || !strings.Contains(said, committed(t)[host()]) {
		t.Errorf("a drifted byte: %v\n%s", err, said)
	}
	said, err = newJob(t, action, append(env, "INPUT_BINARY_MIRROR="+drifted.url)...).step("main")
	if err == nil || !strings.Contains(said, "PSA603") {
		t.Errorf("an unknown authority: %v\n%s", err, said)
	}
}

// The action's own repository has action.yml at its root and the same files as the tag. It
// cannot be made from a checkout of the branch.
func TestThinRepository(t *testing.T) {
	t.Parallel()
	thin, action := variable(t, "RELEASE_THIN"), filepath.Join(variable(t, "RELEASE_ACTION"), "action")
	var size int
	for _, name := range []string{"action.yml", "main.js", "post.js", "release.json", "README.md", "rotate/action.yml", "rotate/main.js", "audit/action.yml", "audit/main.js"} {
		raw := read(t, thin, name)
		if size += len(raw); !bytes.Equal(raw, read(t, action, name)) {
			t.Errorf("%s is not that of the tag", name)
		}
	}
	tag := exec.CommandContext(t.Context(), "git", "-C", thin, "describe", "--tags", "--exact-match") //nolint:gosec // git
	if said, err := tag.CombinedOutput(); err != nil || strings.TrimSpace(string(said)) != "v"+variable(t, "RELEASE_VERSION") {
		t.Errorf("%v: %s", err, said)
	}
	branch := exec.CommandContext(t.Context(), "../../tools/action-repository", filepath.Join(t.TempDir(), "thin"))
	if said, err := branch.CombinedOutput(); err == nil || !strings.Contains(string(said), "no released commit") {
		t.Errorf("of a branch: %v: %s", err, said)
	}
}
