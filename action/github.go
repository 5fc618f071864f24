package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// github talks to the runner. Whatever goes out passes it, so that no secret can be
// in it once the secret is known here.
type github struct {
	actions *githubactions.Action
	getenv  func(string) string
	random  func() string // 128 bits or more, as letters and digits
	known   []string      // live secrets, in every spelling that is cut out
	// kept, where it is not nil, takes the place of the runner: state is kept in it,
	// and words are plain lines.
	kept map[string]string
}

func newGitHub(out io.Writer, getenv func(string) string, random func() string) *github {
	return &github{
		actions: githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(getenv)),
		getenv:  getenv, random: random,
	}
}

// mask tells the runner to hide a secret wherever it shows from now on. It comes
// before any other use of the secret.
func (g *github) mask(secret secret.Secret) error {
	for line := range strings.Lines(secret.Reveal()) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		g.known = append(g.known, line, url.QueryEscape(line))
		if quoted, err := json.Marshal(line); err == nil {
			g.known = append(g.known, string(quoted[1:len(quoted)-1]))
		}
		if g.kept != nil {
			continue // nobody reads it, and whoever does must not see a secret
		}
		if err := guarded(func() { g.actions.AddMask(line) }); err != nil {
			return err
		}
	}
	return nil
}

func (g *github) maskAll(secrets []secret.Secret) error {
	for _, secret := range secrets {
		if err := g.mask(secret); err != nil {
			return err
		}
	}
	return nil
}

// clean cuts known secrets out of a text.
func (g *github) clean(text string) string {
	for _, secret := range g.known {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// say writes lines into the log. No line can become a command: the runner takes for
// one what begins with "::" or has "##[" in it, and a lone carriage return ends a
// line for it.
func (g *github) say(text string) {
	for line := range strings.FieldsFuncSeq(g.clean(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			line = "> " + strings.ReplaceAll(strings.ReplaceAll(line, "::", ": :"), "##[", "# #[")
		}
		g.annotate(func() { g.actions.Infof("%s", line) })
	}
}

// debug writes a line that shows where debug logging is on.
func (g *github) debug(format string, args ...any) {
	if g.kept != nil {
		return
	}
	text := g.clean(fmt.Sprintf(format, args...))
	g.annotate(func() { g.actions.Debugf("%s", text) })
}

// warn makes a yellow annotation. The code may be empty.
func (g *github) warn(code, text string) {
	text = g.clean(text)
	if g.kept != nil {
		g.say("Warning: " + text)
		return
	}
	a := g.titled(code)
	g.annotate(func() { a.Warningf("%s", text) })
}

// failed makes a red annotation. The exit code is what fails the step.
func (g *github) failed(err error) {
	code := ""
	if f, ok := errors.AsType[*failure](err); ok {
		code = f.code
	}
	text := g.clean(err.Error())
	if g.kept != nil {
		g.say("Error: " + text)
		return
	}
	a := g.titled(code)
	g.annotate(func() { a.Errorf("%s", text) })
}

func (g *github) titled(code string) *githubactions.Action {
	title := "PAIStrike"
	if code != "" {
		title += " " + code
	}
	return g.actions.WithFieldsMap(map[string]string{"title": title})
}

// annotate writes words. If nobody reads them any more, nobody is left to tell.
func (g *github) annotate(write func()) { _ = guarded(write) }

// output sets an output of the step.
func (g *github) output(name, value string) error { return g.put("output", name, value) }

// export sets an environment variable for the steps that follow.
func (g *github) export(name, value string) error { return g.put("env", name, value) }

// saveState keeps a value for the post step. It is safe once this returns, whatever
// happens to the program: the runner reads the file when the program has ended.
func (g *github) saveState(name, value string) error {
	if g.kept != nil {
		g.kept[name] = value
		return nil
	}
	return g.put("state", name, value)
}

// state reads what the main step kept.
func (g *github) state(name string) string {
	if g.kept != nil {
		return g.kept[name]
	}
	return g.getenv("STATE_" + name)
}

var commandName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// put appends NAME and value to one of the runner's command files, between
// delimiters that nobody can foresee: with a fixed one a value could set another
// variable.
func (g *github) put(file, name, value string) error {
	if !commandName.MatchString(name) {
		return runnerFileFailed(file, fmt.Errorf("%q is no name", name))
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return runnerFileFailed(file, fmt.Errorf("the value of %s has control characters in it", name))
	}
	delimiter := "paistrike_" + g.random()
	return g.append(file, name+"<<"+delimiter+githubactions.EOF+value+githubactions.EOF+delimiter)
}

// summarize appends Markdown to the page of the run.
func (g *github) summarize(markdown string) error {
	return g.append("step_summary", g.clean(markdown))
}

func (g *github) append(file, text string) error {
	path := g.getenv("GITHUB_" + strings.ToUpper(file))
	if path == "" {
		return runnerFileFailed(file, fmt.Errorf("GITHUB_%s is not set: is this a GitHub Actions runner?", strings.ToUpper(file)))
	}
	if _, err := os.Stat(path); err != nil { // the runner makes it; a new one nobody would read
		return runnerFileFailed(file, err)
	}
	err := guarded(func() { g.actions.IssueFileCommand(&githubactions.Command{Name: file, Message: text}) })
	if err != nil {
		return runnerFileFailed(file, err)
	}
	return nil
}

// guarded turns the panics, with which the library reports that writing failed, into
// errors.
func guarded(write func()) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	write()
	return nil
}
