// Package runner is GitHub's side of the action: workflow commands, command files and masks,
// the event that started the run, and identity tokens. Outside GitHub the same [Runner] is a
// plain log.
//
// It knows nothing of PAIStrike or Vault. internal/job talks through it.
package runner
