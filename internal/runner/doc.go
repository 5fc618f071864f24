// Package runner is the action's interface to GitHub: workflow commands, command files and
// masks, the event that started the run, and identity tokens. Outside GitHub, [Runner] is a
// plain log.
//
// It knows nothing of PAIStrike or Vault. internal/job uses it for all output.
package runner
