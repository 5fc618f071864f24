package main

import (
	"bytes"
	"context"
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
)

// part is a server in a process of its own: Vault's KV engine, or AWS Secrets Manager.
type part struct {
	name    string // for messages
	program string
	option  string   // the flag that leaves it out
	args    []string // beside those that each part takes
	env     []string

	address string
	ended   <-chan error    // why it ended, once
	gone    <-chan struct{} // closed when it has
}

// start starts a part at an address, and waits until it listens. It lives until ctx ends,
// or this process does, however that comes about.
func (p *part) start(ctx context.Context, listen, clockURL string, stderr io.Writer) error {
	program, err := filepath.Abs(p.program) // a name without a slash would be looked up in PATH
	if err != nil {
		return err
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: run `make tools`, or leave it out with %s \"\"", p.program, p.option)
	}
	ready := make(chan string, 1)
	args := append([]string{"-listen", listen, "-clock-url", clockURL, "-exit-on-stdin-close"}, p.args...)
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the caller's own choice of program
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout = &watcher{next: stderr, ready: ready}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // it ends with its input, and so even if we are killed
	cmd.WaitDelay = stopTime
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	ended, gone := make(chan error, 1), make(chan struct{})
	p.ended, p.gone = ended, gone
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
	case p.address = <-ready:
		return nil
	case err := <-ended:
		return fmt.Errorf("%s did not start: %w", p.name, err)
	case <-timer.C:
		return fmt.Errorf("%s is not ready after %s", p.name, startTime)
	}
}

// readyLine is what a part prints when it listens, behind its name.
const readyLine = ": listening on "

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
		if _, address, found := strings.Cut(text, readyLine); found {
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
