package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// leftToDefaults is [standard] without a setting that has a default.
var leftToDefaults = edit(standard, `, overlap = "24h"`, "")

// Omitted settings are planned with their effective values. A setting that is removed
// returns to its default, and that does not replace a token.
func TestDefaultsAreInThePlan(t *testing.T) { overBoth(t, defaultsAreInThePlan) }

func defaultsAreInThePlan(s *stage) {
	planned := func(block, setting, value string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(ci, tfjsonpath.New(block).AtMapKey(setting), knownvalue.StringExact(value))
	}
	created := append(creates(), planned("rotation", "before_expiry", "30d"), planned("rotation", "overlap", "1d"), planned("rotation", "on_revoked", "rotate"))
	if s.overAWS {
		created = append(created, planned("aws_secrets_manager", "on_destroy", "delete"), planned("aws_secrets_manager", "recovery_window", "30d"))
	} else {
		created = append(created, planned("vault", "on_destroy", "delete"))
	}
	s.play(
		act{config: leftToDefaults, plan: created},
		act{config: edit(standard, `"24h"`, `"48h"`), plan: []plancheck.PlanCheck{planned("rotation", "overlap", "48h")}},
		act{config: leftToDefaults, plan: []plancheck.PlanCheck{planned("rotation", "overlap", "1d")}},
	)
	if s.minted() != 1 {
		s.Errorf("%d tokens were minted", s.minted())
	}
}

// A state without the defaults, as earlier releases wrote it, does not cause a change.
func TestAStateWithoutDefaultsIsNotDrift(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(leftToDefaults)
	person.apply()
	_, raw := person.state()
	for _, setting := range []string{`"before_expiry": "30d"`, `"overlap": "1d"`, `"on_revoked": "rotate"`, `"on_destroy": "delete"`} {
		name, _, _ := strings.Cut(setting, ":")
		raw = edit(raw, setting, name+": null")
	}
	if err := os.WriteFile(filepath.Join(person.Dir, "terraform.tfstate"), []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wantSays(person.run("plan"), "No changes.")
}
