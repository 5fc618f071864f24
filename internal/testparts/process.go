package testparts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startTime = 60 * time.Second // enough for a busy machine
	stopTime  = 10 * time.Second
)

// missing fails the test in CI because a program is missing, and skips it elsewhere.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf("NOT TESTED: "+format, args...)
}

// repository returns the root directory of the repository. Tests run in their package's
// directory.
var repository = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; !isFile(filepath.Join(dir, "tools", "kv", "go.mod")); dir = filepath.Dir(dir) {
		if dir == filepath.Dir(dir) {
			return "", errors.New("the test does not run inside the repository")
		}
	}
	return dir, nil
})

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// program returns the path of a program in .tools, or "" if it was not built.
func program(t testing.TB, name string) string {
	t.Helper()
	dir, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	if path := filepath.Join(dir, ".tools", name); isFile(path) {
		return path
	}
	return ""
}

// programOr returns the path of a program in .tools, or builds it.
func programOr(t testing.TB, name string, build func() (string, error)) string {
	t.Helper()
	path := program(t, name)
	if path == "" {
		var err error
		if path, err = build(); err != nil {
			missing(t, "tools/%s cannot be built: %v", name, err)
		}
	}
	return path
}

// process is a program that a test has started.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
}

// Write records the program's output.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(text)
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSpace(p.said.String())
}

// start runs a program until the test ends. It returns when ready accepts a line of standard
// output, with the value that ready returns for it. The environment contains only env: an
// inherited variable such as VAULT_ADDR would change the program's behavior.
func start(t testing.TB, ready func(line string) (string, bool), env []string, path string, args ...string) (string, error) {
	t.Helper()
	value, _, err := startProcess(t, ready, env, path, args...)
	return value, err
}

// startProcess is like start, but also returns the process, so that the test can kill it.
func startProcess(t testing.TB, ready func(line string) (string, bool), env []string, path string, args ...string) (string, *process, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{cmd: exec.CommandContext(ctx, path, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopTime // after that it is killed
	t.Cleanup(func() {
		cancel()
		if p.cmd.Process != nil {
			<-p.ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), p.words())
		}
	})
	found, err := p.run(ready)
	if err != nil {
		return "", p, err
	}
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case value := <-found:
		return value, p, nil
	case <-p.ended:
		return "", p, fmt.Errorf("%s ended: %s", filepath.Base(path), p.words())
	case <-timer.C:
		return "", p, fmt.Errorf("%s is not ready after %s", filepath.Base(path), startTime)
	}
}

// kill ends the program as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// run starts the program and reads its output.
func (p *process) run(ready func(string) (string, bool)) (<-chan string, error) {
	// If the test process dies, the closed standard input tells the program to stop.
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.cmd.Stderr = p
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			_, _ = p.Write([]byte(lines.Text() + "\n"))
			if value, ok := ready(lines.Text()); ok {
				select {
				case found <- value:
				default:
				}
			}
		}
		_ = p.cmd.Wait()
	}()
	return found, nil
}
