package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action  string
	Test    string
	Elapsed float64 // in seconds
	Output  string
}

// test runs go test, prints which tests start and how they end, and prints the output only of
// failed tests.
func test(ctx context.Context, env []string, stdout io.Writer, title string, args ...string) error {
	fmt.Fprintf(stdout, "%s\n", title)
	//nolint:gosec // fixed arguments
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-timeout=30m", "-json"}, args...)...)
	cmd.Env = env
	cmd.Stderr = stdout
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := progress{out: stdout, said: map[string]*strings.Builder{}}
	readErr := p.follow(pipe)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	return readErr
}

// remarkable is the duration from which a subtest is reported, in seconds.
const remarkable = 10

// progress prints the progress of tests.
type progress struct {
	out  io.Writer
	said map[string]*strings.Builder // by test; "" is the package
}

func (p *progress) follow(r io.Reader) error {
	decoder := json.NewDecoder(r)
	for {
		var e event
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading what go test says: %w", err)
		}
		p.take(e)
	}
}

func (p *progress) take(e event) {
	if p.said[e.Test] == nil {
		p.said[e.Test] = &strings.Builder{}
	}
	switch e.Action {
	case "run":
		if !strings.Contains(e.Test, "/") {
			fmt.Fprintf(p.out, "  ...      %s\n", e.Test)
		}
	case "output", "build-output":
		p.said[e.Test].WriteString(e.Output)
	case "pass":
		delete(p.said, e.Test)
		if e.Test != "" && (e.Elapsed >= remarkable || !strings.Contains(e.Test, "/")) {
			fmt.Fprintf(p.out, "  %6.1f s %s\n", e.Elapsed, e.Test)
		}
	case "skip", "fail":
		fmt.Fprintf(p.out, "  %s %s\n%s", strings.ToUpper(e.Action), e.Test, p.said[e.Test])
		delete(p.said, e.Test)
		if e.Test == "" {
			p.unfinished()
		}
	}
}

// unfinished prints the output of tests that had not ended when the test binary did: one of
// them may have crashed it.
func (p *progress) unfinished() {
	for test, said := range p.said {
		fmt.Fprintf(p.out, "  not finished: %s\n%s", test, said)
	}
}
