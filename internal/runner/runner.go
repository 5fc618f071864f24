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

// Runner is whom a run talks to: GitHub's runner, or a terminal or log outside GitHub.
// Whatever goes out passes it, so that no secret is in it once the secret is known here.
type Runner struct {
	actions *githubactions.Action
	getenv  func(string) string
	random  func() string // 128 bits or more, as letters and digits
	mu      sync.Mutex    // a cancel speaks while the run does
	known   []string      // live secrets, in every spelling that is cut out
	// kept, if it is not nil, takes the place of GitHub's runner: state is kept in it,
	// and words are plain lines.
	kept map[string]string
	// words, outside GitHub, puts the text of a warning or an error into the words of the
	// place.
	words func(string) string
}

// New returns GitHub's runner, which reads out and the command files that the environment
// names. random returns 128 bits or more as letters and digits.
func New(out io.Writer, getenv func(string) string, random func() string) *Runner {
	return &Runner{
		actions: githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(getenv)),
		getenv:  getenv, random: random,
	}
}

// Outside returns a runner for a place that is not GitHub: words are plain lines on out,
// and state lives as long as the program. words puts warnings and errors into the words of the
// place.
func Outside(out io.Writer, getenv func(string) string, random func() string, words func(string) string) *Runner {
	r := New(out, getenv, random)
	r.kept, r.words = map[string]string{}, words
	return r
}

// IsGitHub reports whether GitHub's runner reads what is said.
func (r *Runner) IsGitHub() bool { return r.kept == nil }

// Random returns 128 bits or more as letters and digits.
func (r *Runner) Random() string { return r.random() }

// Mask tells the runner to hide a secret wherever it shows from now on. It comes
// before any other use of the secret. It fails if the runner cannot be told.
func (r *Runner) Mask(secret secret.Secret) error {
	for line := range strings.Lines(secret.Reveal()) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		r.learn(line)
		if r.kept != nil {
			continue // nobody reads it, and whoever does must not see a secret
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

// clean cuts known secrets out of a text, and what would act on the text around it unseen.
func (r *Runner) clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text = inert.Visible(text)
	for _, secret := range r.known {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// Say writes lines into the log. No line can become a command: the runner takes for
// one what begins with "::" or has "##[" in it, and a lone carriage return ends a
// line for it.
func (r *Runner) Say(text string) {
	for line := range strings.FieldsFuncSeq(r.clean(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			line = "> " + strings.ReplaceAll(strings.ReplaceAll(line, "::", ": :"), "##[", "# #[")
		}
		r.annotate(func() { r.actions.Infof("%s", line) })
	}
}

// Debug writes a line that shows if debug logging is on.
func (r *Runner) Debug(format string, args ...any) {
	if r.kept != nil {
		return
	}
	text := r.clean(fmt.Sprintf(format, args...))
	r.annotate(func() { r.actions.Debugf("%s", text) })
}

// Warn makes a yellow annotation. The code may be empty.
func (r *Runner) Warn(code, text string) {
	text = r.clean(text)
	if r.kept != nil {
		r.Say("Warning: " + r.words(text))
		return
	}
	a := r.titled(code)
	r.annotate(func() { a.Warningf("%s", text) })
}

// Failed makes a red annotation. The exit code is what fails the step.
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

// annotate writes words. If nobody reads them any more, nobody is left to tell.
func (r *Runner) annotate(write func()) { _ = guarded(write) }

// Output sets an output of the step.
func (r *Runner) Output(name, value string) error { return r.put("output", name, value) }

// Export sets an environment variable for the steps that follow.
func (r *Runner) Export(name, value string) error { return r.put("env", name, value) }

// SaveState keeps a value for the post step. It is safe once this returns, whatever
// happens to the program: the runner reads the file when the program has ended.
func (r *Runner) SaveState(name, value string) error {
	if r.kept != nil {
		r.kept[name] = value
		return nil
	}
	return r.put("state", name, value)
}

// State reads what the main step kept.
func (r *Runner) State(name string) string {
	if r.kept != nil {
		return r.kept[name]
	}
	return r.getenv("STATE_" + name)
}

var commandName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// put appends NAME and value to one of the runner's command files, between
// delimiters that nobody can foresee: with a fixed one a value could set another
// variable.
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

// Summarize appends Markdown to the page of the run.
func (r *Runner) Summarize(markdown string) error {
	return r.append("step_summary", r.clean(markdown))
}

func (r *Runner) append(file, text string) error {
	path := r.getenv("GITHUB_" + strings.ToUpper(file))
	if path == "" {
		return FileFailed(file, fmt.Errorf("GITHUB_%s is not set: is this a GitHub Actions runner?", strings.ToUpper(file)))
	}
	if _, err := os.Stat(path); err != nil { // the runner makes it; a new one nobody would read
		return FileFailed(file, err)
	}
	err := guarded(func() { r.actions.IssueFileCommand(&githubactions.Command{Name: file, Message: text}) })
	if err != nil {
		return FileFailed(file, err)
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
