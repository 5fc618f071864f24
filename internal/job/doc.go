// Package job is what the action and its commands do: mint or read a token for a job, revoke
// it in the post step, run a command with a token of its own (exec), rotate the entries of a
// folder of Vault that are due, audit the account, and close the entries of a PAIStrike that
// is gone (abandon).
//
// It owns the meaning of inputs, the two clients that a run needs, and the messages with PSA
// codes. What is said to GitHub passes internal/runner; inputs are named in internal/input;
// the protocol is internal/rotation's, and the folder internal/fleet's. Nothing is written to
// disk but the runner's own command files, and a report.
package job
