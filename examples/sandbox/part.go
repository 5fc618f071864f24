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

// part is a server in its own process: Vault's KV engine, or AWS Secrets Manager.
type part struct {
	name    string // for messages
	program string
	option  string   // flag that omits it
	args    []string // in addition to those for every part
	env     []string

	address string
	ended   <-chan error    // receives the reason when it ends
	gone    <-chan struct{} // closed when it has ended
}

// start starts a part at an address, and waits until it listens. The part ends when ctx ends,
// or when this process does for any reason.
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
	cmd.Cancel = stdin.Close // it ends with its input, so even if this process is killed
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

// readyLine is the text that a part prints after its name when it listens.
const readyLine = ": listening on "

// watcher forwards a program's output, and sends the address in its ready line.
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
			default: // already sent
			}
			continue
		}
		fmt.Fprintln(w.next, text)
	}
	return len(p), nil
}
