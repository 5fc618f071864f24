package runner

import "fmt"

// Failure is an error with a searchable code. Its text states what happened, what is true
// now, and what to do.
type Failure struct {
	Code string // "PSA101"
	Text string
	Err  error // cause, for errors.As; Text already includes it
}

// Error returns the code and the text.
func (f *Failure) Error() string { return f.Code + ": " + f.Text }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail returns a [*Failure].
func Fail(code string, err error, format string, args ...any) error {
	return &Failure{Code: code, Text: fmt.Sprintf(format, args...), Err: err}
}

// Codes of runs that get no identity token because of the actor or the source repository.
const (
	CodeFork       = "PSA102"
	CodeDependabot = "PSA103"
)

// PSA1xx: GitHub's identity token.

func noPermission() error {
	return Fail("PSA101", nil, "This job may not ask GitHub for an identity token. Add to the job:\n"+
		"permissions:\n  id-token: write\n  contents: read\n"+
		"(any permissions block takes away all that it does not name).\n"+
		"PSA104: If this job is part of a reusable workflow, the job that calls it must grant the same.")
}

func fromFork(event, head string) error {
	return Fail(CodeFork, nil, "A %s run from %s, a fork, gets neither identity tokens nor secrets, and no permission changes that. "+
		"Set on_untrusted: skip to let the job go on without a token.", event, head)
}

func fromDependabot(event string) error {
	return Fail(CodeDependabot, nil, "A %s run of Dependabot gets neither identity tokens nor the repository's secrets. "+
		"Set on_untrusted: skip to let the job go on without a token, or put the secrets among Dependabot's own.", event)
}

func underAct() error {
	return Fail("PSA105", nil, "act cannot issue GitHub's identity tokens. Use vault_auth_method: token with a secret of your own when you run this under act.")
}

func identityFailed(problem string) error {
	return Fail("PSA106", nil, "GitHub gave no identity token: %s. Run the job again; githubstatus.com tells of outages.", problem)
}

// PSA8xx: the runner's files.

// FileFailed returns an error for a command file that cannot be written.
func FileFailed(file string, err error) error {
	return Fail("PSA801", err, "The runner's file for %s cannot be written: %v.", file, err)
}
