package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"

	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Runner writes all output of a run: to GitHub's runner or, outside GitHub, to a terminal or
// log. It redacts every secret that it has been told about.
type Runner struct {
	actions *githubactions.Action
	getenv  func(string) string
	random  func() string // at least 128 bits, as letters and digits
	mu      sync.Mutex    // a cancellation writes concurrently with the run
	known   []string      // all spellings of live secrets to redact
	// kept, if not nil, replaces GitHub's runner: it stores the state, and messages are
	// written as plain lines.
	kept map[string]string
	// words adapts the text of a warning or an error to the environment outside GitHub.
	words func(string) string
}

// New returns a Runner for GitHub's runner, which reads out and the command files named in
// the environment. random returns at least 128 bits as letters and digits.
func New(out io.Writer, getenv func(string) string, random func() string) *Runner {
	return &Runner{
		actions: githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(getenv)),
		getenv:  getenv, random: random,
	}
}

// Outside returns a Runner for use outside GitHub. It writes plain lines to out and keeps
// state in memory. words adapts warnings and errors to the environment.
func Outside(out io.Writer, getenv func(string) string, random func() string, words func(string) string) *Runner {
	r := New(out, getenv, random)
	r.kept, r.words = map[string]string{}, words
	return r
}

// IsGitHub reports whether GitHub's runner reads the output.
func (r *Runner) IsGitHub() bool { return r.kept == nil }

// Random returns at least 128 bits as letters and digits.
func (r *Runner) Random() string { return r.random() }

// Mask tells the runner to hide a secret in all further output. Call it before any other use
// of the secret. It returns an error if the command cannot be written.
func (r *Runner) Mask(secret secret.Secret) error {
	for line := range strings.Lines(secret.Reveal()) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		r.learn(line)
		if r.kept != nil {
			continue // outside GitHub the command would print the secret
		}
		if err := guarded(func() { r.actions.AddMask(line) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) learn(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = append(r.known, line, url.QueryEscape(line))
	if quoted, err := json.Marshal(line); err == nil {
		r.known = append(r.known, string(quoted[1:len(quoted)-1]))
	}
}

// MaskAll masks each of the secrets.
func (r *Runner) MaskAll(secrets []secret.Secret) error {
	for _, secret := range secrets {
		if err := r.Mask(secret); err != nil {
			return err
		}
	}
	return nil
}

// clean redacts known secrets and makes invisible control characters visible.
func (r *Runner) clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text = inert.Visible(text)
	for _, secret := range r.known {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// Say writes lines to the log. No line can become a workflow command: the runner interprets
// lines that start with "::" or contain "##[", and a carriage return also ends a line.
func (r *Runner) Say(text string) {
	for line := range strings.FieldsFuncSeq(r.clean(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			line = "> " + strings.ReplaceAll(strings.ReplaceAll(line, "::", ": :"), "##[", "# #[")
		}
		r.annotate(func() { r.actions.Infof("%s", line) })
	}
}

// Debug writes a line that is shown only with debug logging.
func (r *Runner) Debug(format string, args ...any) {
	if r.kept != nil {
		return
	}
	text := r.clean(fmt.Sprintf(format, args...))
	r.annotate(func() { r.actions.Debugf("%s", text) })
}

// Warn writes a warning annotation. code may be empty.
func (r *Runner) Warn(code, text string) {
	text = r.clean(text)
	if r.kept != nil {
		r.Say("Warning: " + r.words(text))
		return
	}
	a := r.titled(code)
	r.annotate(func() { a.Warningf("%s", text) })
}

// Failed writes an error annotation. It does not fail the step; the exit code does.
func (r *Runner) Failed(err error) {
	code := ""
	if f, ok := errors.AsType[*Failure](err); ok {
		code = f.Code
	}
	text := r.clean(err.Error())
	if r.kept != nil {
		r.Say("Error: " + r.words(text))
		return
	}
	a := r.titled(code)
	r.annotate(func() { a.Errorf("%s", text) })
}

func (r *Runner) titled(code string) *githubactions.Action {
	title := "PAIStrike"
	if code != "" {
		title += " " + code
	}
	return r.actions.WithFieldsMap(map[string]string{"title": title})
}

// annotate ignores write errors: there is nowhere to report them.
func (r *Runner) annotate(write func()) { _ = guarded(write) }

// Output sets an output of the step.
func (r *Runner) Output(name, value string) error { return r.put("output", name, value) }

// Export sets an environment variable for the following steps.
func (r *Runner) Export(name, value string) error { return r.put("env", name, value) }

// SaveState stores a value for the post step. The value is safe when this returns, even if
// the program is killed, because the runner reads the file after the program has ended.
func (r *Runner) SaveState(name, value string) error {
	if r.kept != nil {
		r.kept[name] = value
		return nil
	}
	return r.put("state", name, value)
}

// State returns a value that the main step stored.
func (r *Runner) State(name string) string {
	if r.kept != nil {
		return r.kept[name]
	}
	return r.getenv("STATE_" + name)
}

var commandName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// put appends a name and a value to one of the runner's command files, between random
// delimiters. With a predictable delimiter, a value could set another variable.
func (r *Runner) put(file, name, value string) error {
	if !commandName.MatchString(name) {
		return FileFailed(file, fmt.Errorf("%q is not a name", name))
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return FileFailed(file, fmt.Errorf("the value of %s has control characters in it", name))
	}
	delimiter := "paistrike_" + r.random()
	return r.append(file, name+"<<"+delimiter+githubactions.EOF+value+githubactions.EOF+delimiter)
}

// Summarize appends Markdown to the job summary.
func (r *Runner) Summarize(markdown string) error {
	return r.append("step_summary", r.clean(markdown))
}

func (r *Runner) append(file, text string) error {
	path := r.getenv("GITHUB_" + strings.ToUpper(file))
	if path == "" {
		return FileFailed(file, fmt.Errorf("GITHUB_%s is not set: is this a GitHub Actions runner?", strings.ToUpper(file)))
	}
	if _, err := os.Stat(path); err != nil { // the runner creates it, and would not read a file created here
		return FileFailed(file, err)
	}
	err := guarded(func() { r.actions.IssueFileCommand(&githubactions.Command{Name: file, Message: text}) })
	if err != nil {
		return FileFailed(file, err)
	}
	return nil
}

// guarded converts panics into errors. The library panics when it cannot write.
func guarded(write func()) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	write()
	return nil
}
