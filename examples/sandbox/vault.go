package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	startTime = 30 * time.Second
	stopTime  = 5 * time.Second
	readyLine = "kv: listening on "
)

// vault is Vault's KV engine in a process of its own.
type vault struct {
	address string
	token   string
	ended   <-chan error    // why it ended, once
	gone    <-chan struct{} // closed when it has
}

// startVault starts the engine, and waits until it listens. It lives until ctx
// ends, or this process does, however that comes about.
func startVault(ctx context.Context, o options, clockURL string, stderr io.Writer) (*vault, error) {
	program, err := filepath.Abs(o.kv) // a name without a slash would be looked up in PATH
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: run `make tools`, or leave Vault out with -vault-listen \"\"", o.kv)
	}
	token := rand.Text()
	ready := make(chan string, 1)
	cmd := exec.CommandContext(ctx, program, "-listen", o.vaultListen, "-clock-url", clockURL, "-exit-on-stdin-close") //nolint:gosec // the caller's own choice of program
	cmd.Env = append(os.Environ(), "KV_ROOT_TOKEN="+token)
	cmd.Stdout = &watcher{next: stderr, ready: ready}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.Cancel = stdin.Close // the engine ends with its input, and so even if we are killed
	cmd.WaitDelay = stopTime
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the KV engine: %w", err)
	}
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		ended <- err
		close(gone)
	}()
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case address := <-ready:
		return &vault{address: address, token: token, ended: ended, gone: gone}, nil
	case err := <-ended:
		return nil, fmt.Errorf("the KV engine did not start: %w", err)
	case <-timer.C:
		return nil, fmt.Errorf("the KV engine is not ready after %s", startTime)
	}
}

// watcher passes on what a program prints, and tells the address in its ready line.
type watcher struct {
	next  io.Writer
	ready chan<- string
	line  bytes.Buffer
}

func (w *watcher) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\n' {
			w.line.WriteByte(b)
			continue
		}
		text := w.line.String()
		w.line.Reset()
		if address, found := strings.CutPrefix(text, readyLine); found {
			select {
			case w.ready <- strings.TrimSpace(address):
			default: // told already
			}
			continue
		}
		fmt.Fprintln(w.next, text)
	}
	return len(p), nil
}
