// Package job implements the action and its commands: mint or read a token for a job, revoke
// it in the post step, run a command with its own token (exec), rotate the due entries of a
// folder (rotate), audit the account (audit), and close the entries of a PAIStrike that no
// longer exists (abandon).
//
// It owns the meaning of inputs, the two clients of a run, and the messages with PSA codes.
// All output to GitHub goes through internal/runner. internal/input names the inputs,
// internal/rotation implements the protocol, and internal/fleet works on folders. The only
// files it writes are the runner's command files and a report.
package job
