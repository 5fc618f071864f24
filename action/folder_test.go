package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// cmdKeeper makes the next steps those of action/rotate or action/audit for a folder: `keeper
// ci/team`.
func cmdKeeper(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	if j.aws != nil {
		for name, value := range map[string]string{"aws_secret_id": "", "broker_path": "broker/paistrike", "aws_prefix": args[0]} {
			j.env["INPUT_"+strings.ToUpper(name)] = value
		}
		return
	}
	for name, value := range map[string]string{"vault_path": "", "broker_path": "ci/broker", "vault_prefix": args[0], "vault_role": "keeper"} {
		j.env["INPUT_"+strings.ToUpper(name)] = value
	}
}

// cmdEntry changes an entry: `entry scheduled ci/team/a 90d 30d` and `entry unscheduled
// ci/team/a 90d` write it like Terraform, `entry spoiled ci/team/a KEY VALUE` edits it
// manually, and `entry none NAME 90d` creates a token on PAIStrike's page.
func cmdEntry(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	switch args[0] {
	case "scheduled":
		ts.Check(j.schedule(args[1], schedule.Schedule{ExpiresIn: args[2], Period: args[3], Overlap: "24h"}))
	case "unscheduled":
		ts.Check(j.schedule(args[1], schedule.Schedule{ExpiresIn: args[2]}))
	case "spoiled":
		ts.Check(j.custom(args[1], args[2], args[3]))
	case "none":
		life, err := schedule.ParseDuration(args[2])
		ts.Check(err)
		j.paistrike.Mint(args[1], j.paistrike.Clock().Now().Add(life))
	}
}
