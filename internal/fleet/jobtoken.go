package fleet

import (
	"regexp"
	"sync"
)

// jobToken matches the names that the action and the command line generate for tokens of
// single jobs: "gha:org/repository:run.attempt:job:nonce". The user chooses the label, which
// may contain any character.
var jobToken = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^.{0,40}:[^:]+:[^:]+\.[^:]+:[^:]+:[a-z0-9]{10}$`) // compiled on first use, because only audits need it
})

// IsJobToken reports whether a token was created for a single job or command.
func IsJobToken(name string) bool { return jobToken().MatchString(name) }
