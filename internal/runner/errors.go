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
	return Fail("PSA101", nil, "This job is not allowed to request an OIDC token from GitHub. Add to the job:\n"+
		"permissions:\n  id-token: write\n  contents: read\n"+
		"(a permissions block removes every permission that it does not list).\n"+
		"PSA104: If this job is part of a reusable workflow, the calling job must grant the same permissions.")
}

func fromFork(event, head string) error {
	return Fail(CodeFork, nil, "A %s run from the fork %s cannot use OIDC tokens or secrets, whatever its permissions. "+
		"Set on_untrusted: skip to continue the job without a token.", event, head)
}

func fromDependabot(event string) error {
	return Fail(CodeDependabot, nil, "A %s run that Dependabot started cannot use OIDC tokens or the repository's secrets. "+
		"Set on_untrusted: skip to continue the job without a token, or add the secrets to the Dependabot secrets.", event)
}

func underAct() error {
	return Fail("PSA105", nil, "act cannot issue GitHub's OIDC tokens. When you run this workflow in act, set vault_auth_method: token and provide a Vault token as a secret.")
}

func identityFailed(problem string) error {
	return Fail("PSA106", nil, "GitHub did not issue an OIDC token: %s. Run the job again. For outages, see githubstatus.com.", problem)
}

// PSA8xx: the runner's files.

// FileFailed returns an error for a command file that cannot be written.
func FileFailed(file string, err error) error {
	return Fail("PSA801", err, "The runner's file for %s cannot be written: %v. Check that this is a GitHub runner and that its disk is not full.", file, err)
}
