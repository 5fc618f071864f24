//go:build wine

package action_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/runner/runnertest"
)

// windows is a Windows environment in Wine with the action's program.
type windows struct {
	*world
	program string
	env     []string
}

// newWindows builds the program for Windows and prepares Wine. tools/windows sets WINE and
// WINDOWS_NODE.
func newWindows(t *testing.T) *windows {
	t.Helper()
	folder := t.TempDir()
	w := &windows{world: newWorld(t), program: filepath.Join(folder, "paistrike-action.exe")}
	w.env = []string{
		"WINEPREFIX=" + filepath.Join(folder, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "HOME=" + folder, "PATH=" + os.Getenv("PATH"),
	}
	w.host(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", w.program, "../../action")
	raw, err := os.ReadFile(w.program)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(raw)
	w.file(t, w.program+".sha256", hex.EncodeToString(digest[:]))
	t.Cleanup(func() { w.host(t, filepath.Join(filepath.Dir(os.Getenv("WINE")), "wineserver64"), "-k", "-w") })
	w.host(t, os.Getenv("WINE"), "wineboot", "--init")
	w.file(t, filepath.Join(folder, "prefix/drive_c/windows/system32/bcryptprimitives.dll"), string(forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")))
	return w
}

func (w *windows) file(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// host runs a program on this machine.
func (w *windows) host(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...) //nolint:gosec,noctx // our own; it may also be the end of a test
	cmd.Env = append(os.Environ(), append(w.env, "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")...)
	if filepath.Base(name) == "go" {
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	}
	if said, err := cmd.CombinedOutput(); err != nil && filepath.Base(name) != "wineserver64" {
		t.Fatalf("%s: %v\n%s", name, err, said)
	}
}

// run runs a Windows program and returns its output.
func (w *windows) run(t *testing.T, env []string, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("WINE"), append([]string{program}, args...)...) //nolint:gosec // our own
	cmd.Env, cmd.WaitDelay = append(append([]string{}, w.env...), env...), time.Minute
	said, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(said), "\r\n", "\n"), err
}

// z converts a path of this machine to a Windows path.
func z(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }

// gone checks that exactly made tokens were created and that all are revoked.
func (w *windows) gone(t *testing.T, made int) {
	t.Helper()
	if len(w.secrets()) != made {
		t.Errorf("%d tokens were made, want %d", len(w.secrets()), made)
	}
	for _, secret := range w.secrets() {
		if status := w.use(t, secret); status != http.StatusUnauthorized {
			t.Errorf("PAIStrike answers %d to a token that should be revoked", status)
		}
	}
}

// forwarder returns a library for 64-bit Windows that contains no code. Its only function
// forwards to a function of another library, as the PE format allows
// (learn.microsoft.com/windows/win32/debug/pe-format, "Export Address Table"). Go's runtime
// reads random bytes from ProcessPrng, which Wine 8 lacks; SystemFunction036 has the same
// arguments and purpose.
func forwarder(library, function, to string) []byte {
	const address, offset, table = 0x1000, 0x200, 40
	var exports, file bytes.Buffer
	put := func(b *bytes.Buffer, values ...any) {
		for _, value := range values {
			_ = binary.Write(b, binary.LittleEndian, value) // a buffer never fails
		}
	}
	names := uint32(address + table + 10)
	put(&exports, [3]uint32{}, names, [3]uint32{1, 1, 1}, [3]uint32{address + table, address + table + 4, address + table + 8})
	put(&exports, names+uint32(len(library)+len(function)+2), names+uint32(len(library)+1), uint16(0)) //nolint:gosec // short names
	exports.WriteString(library + "\x00" + function + "\x00" + to + "\x00")
	size := uint32(exports.Len()) //nolint:gosec // less than a page

	put(&file, [2]byte{'M', 'Z'}, [58]byte{}, uint32(64))
	put(&file, [4]byte{'P', 'E'}, uint16(0x8664), uint16(1), [3]uint32{}, uint16(240), uint16(0x2022))
	put(&file, uint16(0x20b), [2]byte{14}, [5]uint32{0, offset, 0, 0, address}, uint64(0x180000000), uint32(0x1000), uint32(0x200))
	put(&file, [6]uint16{6, 0, 0, 0, 6}, [4]uint32{0, 0x2000, offset}, [2]uint16{2, 0x160}, [4]uint64{1 << 20, 1 << 12, 1 << 20, 1 << 12}, [2]uint32{0, 16})
	put(&file, address+uint32(0), size, [15 * 8]byte{})
	put(&file, [8]byte{'.', 'e', 'd', 'a', 't', 'a'}, size, uint32(address), uint32(0x200), uint32(offset), [3]uint32{}, uint32(0x40000040))
	file.Write(make([]byte, offset-file.Len()))
	file.Write(exports.Bytes())
	file.Write(make([]byte, 0x400-file.Len()))
	return file.Bytes()
}

// On Windows, exec runs a command with a token that is revoked afterwards, and a job's step
// behaves as on other systems, started by the launcher with Node.js for Windows.
func TestWindows(t *testing.T) {
	w := newWindows(t)
	roleID, secretID := w.appRole(t)

	t.Run("exec", func(t *testing.T) {
		said, err := w.run(t, []string{
			"PAISTRIKE_ENDPOINT=" + w.api, "VAULT_ADDR=" + w.vault.URL, "PAISTRIKE_VAULT_CA_CERT=" + z(w.vault.CAFile),
			"PAISTRIKE_VAULT_SECRET_ID=" + secretID,
		}, w.program, "exec", "--vault-auth-method", "approle", "--vault-role-id", roleID, "--vault-path", "ci/broker", "--",
			"cmd", "/c", "if defined PAISTRIKE_API_TOKEN (echo the command has it & exit 7)")
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // of this very call
		if !ok || exit.ExitCode() != 7 || !strings.Contains(said, "the command has it") || !strings.Contains(said, "is revoked") {
			t.Errorf("%v\n%s", err, said)
		}
		w.gone(t, 1)
	})

	t.Run("step", func(t *testing.T) {
		node := os.Getenv("WINDOWS_NODE")
		if node == "" {
			t.Skip("NOT TESTED: the launcher on Windows, there is no Node for it")
		}
		temp := t.TempDir()
		files := map[string]string{}
		env := []string{"NODE_SKIP_PLATFORM_CHECK=1", "RUNNER_OS=Windows", "RUNNER_TEMP=" + z(temp), "GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=acme/app", "GITHUB_RUN_ID=1", "GITHUB_RUN_ATTEMPT=1", "GITHUB_JOB=scan"}
		for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
			// A PowerShell step may have written lines before.
			files[name] = w.file(t, filepath.Join(temp, strings.ToLower(name)), "")
			env = append(env, name+"="+z(files[name]))
		}
		w.file(t, files["GITHUB_ENV"], "BEFORE=1\r\n")
		for name, value := range map[string]string{
			"endpoint": w.api, "vault_address": w.vault.URL, "vault_ca_cert": z(w.vault.CAFile), "vault_auth_method": "approle", "vault_role_id": roleID,
			"vault_secret_id": secretID, "vault_path": "ci/broker", "binary_path": z(w.program), "summary": "false", "export_env": "true",
		} {
			env = append(env, "INPUT_"+strings.ToUpper(name)+"="+value)
		}
		root, err := filepath.Abs("../../action")
		if err != nil {
			t.Fatal(err)
		}
		said, err := w.run(t, env, node, z(filepath.Join(root, "main.js")))
		if err != nil || len(w.secrets()) != 2 {
			t.Fatalf("main: %v\n%s", err, said)
		}
		token := w.secrets()[1]
		read := func(name string) string {
			raw, err := os.ReadFile(files[name])
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
		exported, err := runnertest.FileCommandsOnWindows(read("GITHUB_ENV"))
		if want := []runnertest.Pair{{Name: "BEFORE", Value: "1"}, {Name: "PAISTRIKE_API_TOKEN", Value: token}}; err != nil || !slices.Equal(exported, want) || !strings.Contains(said, "::add-mask::"+token) {
			t.Errorf("the step said\n%s\nand left\n%q, %v", said, read("GITHUB_ENV"), err)
		}
		if status := w.use(t, token); status != http.StatusOK {
			t.Errorf("PAIStrike answers %d to the step's token", status)
		}
		state, err := runnertest.FileCommandsOnWindows(read("GITHUB_STATE"))
		if err != nil {
			t.Fatal(err)
		}
		for _, kept := range state {
			env = append(env, "STATE_"+kept.Name+"="+kept.Value)
		}
		if said, err = w.run(t, env, node, z(filepath.Join(root, "post.js"))); err != nil {
			t.Errorf("post: %v\n%s", err, said)
		}
		w.gone(t, 2)
		if left, _ := filepath.Glob(filepath.Join(temp, "paistrike-*")); len(left) > 0 {
			t.Errorf("the program was left behind: %v", left)
		}
	})
}
