package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

// What rotate and audit may fail on beside errors of their own.
const (
	failNone    = "none"
	failError   = "error"
	failWarning = "warning"
	failOverdue = "overdue"
)

// rotateInputs are those of action/rotate.
func rotateInputs() []input {
	return withShared(
		input{name: "vault_mount", fallback: "secret"},
		input{name: "vault_path"},
		input{name: "vault_prefix"},
		input{name: "broker_mount"},
		input{name: "broker_path"},
		input{name: "broker_key", fallback: "token"},
		input{name: "dry_run", fallback: "false", yes: true},
		input{name: "force", fallback: "false", yes: true},
		input{name: "only_due", fallback: "false", yes: true},
		input{name: "fail_on", fallback: failError},
		input{name: "concurrency", fallback: "4"},
	)
}

// auditInputs are those of action/audit.
func auditInputs() []input {
	return withShared(
		input{name: "vault_mount", fallback: "secret"},
		input{name: "vault_prefix"},
		input{name: "broker_mount"},
		input{name: "broker_path"},
		input{name: "broker_key", fallback: "token"},
		input{name: "unused_after", fallback: "30d"},
		input{name: "max_expires_in", fallback: "90d"},
		input{name: "warn_before", fallback: "14d"},
		input{name: "job_time", fallback: "6h"},
		input{name: "sweep", fallback: "false", yes: true},
		input{name: "fail_on", fallback: failError},
		input{name: "concurrency", fallback: "4"},
	)
}

// withShared puts inputs between those that all actions share: how to reach both
// servers before them, how the run itself goes after them.
func withShared(own ...input) []input {
	notShared := []string{
		"mode", "expires_in", "label", "vault_mount", "vault_path", "vault_key", "env_name", "export_env", "revoke",
		"on_revoke_failure", "on_untrusted", "min_remaining", "verify",
	}
	inputs := slices.DeleteFunc(allInputs(), func(in input) bool { return slices.Contains(notShared, in.name) })
	for i, in := range inputs {
		if in.name == "timeout" {
			inputs[i].fallback = "15m"
		}
	}
	end := slices.IndexFunc(inputs, func(in input) bool { return in.name == "summary" })
	return slices.Insert(inputs, end, own...)
}

// fleetSettings are the inputs of rotate and audit, understood and checked.
type fleetSettings struct {
	connection

	folder entry.Location
	// single says that the folder is one entry.
	single      bool
	concurrency int
	failOn      string

	dryRun, force, onlyDue bool // rotate
	sweep                  bool // audit
	limits                 fleet.Limits
}

// parseRotate checks the inputs of rotate. It touches nothing but certificate files.
func parseRotate(in values, readFile func(string) ([]byte, error)) (fleetSettings, error) {
	p := &parser{in: in, readFile: readFile}
	s := p.fleet()
	s.dryRun, s.force, s.onlyDue = p.yes("dry_run"), p.yes("force"), p.yes("only_due")
	s.failOn = p.oneOf("fail_on", failError, failOverdue)
	switch {
	case in["vault_path"] != "" && in["vault_prefix"] != "":
		p.wrong("vault_path", "is for one entry and vault_prefix for a folder: set one of them")
	case in["vault_path"] != "":
		s.single, s.folder.Path = true, strings.Trim(in["vault_path"], "/")
	case in["vault_prefix"] == "":
		p.wrong("vault_prefix", "is required, such as ci, or / for all of the mount; or set vault_path for one entry")
	}
	return s, p.verdict()
}

// parseAudit checks the inputs of audit.
func parseAudit(in values, readFile func(string) ([]byte, error)) (fleetSettings, error) {
	p := &parser{in: in, readFile: readFile}
	s := p.fleet()
	s.sweep = p.yes("sweep")
	s.failOn = p.oneOf("fail_on", failNone, failWarning, failError)
	s.limits = fleet.Limits{
		UnusedAfter: p.duration("unused_after"), MaxExpiresIn: p.duration("max_expires_in"),
		WarnBefore: p.duration("warn_before"), JobTime: p.duration("job_time"),
	}
	if in["vault_prefix"] == "" {
		p.wrong("vault_prefix", "is required, such as ci, or / for all of the mount")
	}
	return s, p.verdict()
}

// fleet reads what rotate and audit have in common.
func (p *parser) fleet() fleetSettings {
	mount := strings.Trim(p.in["vault_mount"], "/")
	brokerMount := p.in["broker_mount"]
	if brokerMount == "" {
		brokerMount = mount
	}
	s := fleetSettings{connection: p.connection("broker_path", brokerMount, p.in["broker_key"])}
	s.folder = entry.Location{Mount: mount, Path: strings.Trim(p.in["vault_prefix"], "/")}
	// One Vault token does all of a run, so that a hiccup of Vault need not end it.
	s.vault.MaxRetries, s.vault.RetryWaitMin = s.maxAttempts-1, time.Second/2
	if s.maxAttempts == 1 {
		s.vault.MaxRetries = -1
	}
	n, err := strconv.Atoi(p.in["concurrency"])
	if err != nil || n < 1 || n > 32 {
		p.wrong("concurrency", "%q is not a number from 1 to 32", p.in["concurrency"])
	}
	s.concurrency = n
	return s
}
