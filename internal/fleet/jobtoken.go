package fleet

import (
	"regexp"
	"sync"
)

// jobToken matches the names that the action and the command line choose for the tokens of
// single jobs: "gha:org/repository:run.attempt:job:nonce". The label is the user's, and may
// hold anything.
var jobToken = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^.{0,40}:[^:]+:[^:]+\.[^:]+:[^:]+:[a-z0-9]{10}$`) // an audit alone asks
})

// IsJobToken reports whether a token was made for one job, or for one command.
func IsJobToken(name string) bool { return jobToken().MatchString(name) }
