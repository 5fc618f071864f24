package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// A lifetime that is longer than PAIStrike advises causes a warning in every plan, unless
// the provider's token_policy permits it.
func TestWarnsOfALongLife(t *testing.T) {
	onOneCLI(t)
	const never, long = "Warning: Token never expires", "Warning: Token lives longer than 90 days"
	policy := func(rule string) string { return `provider "paistrike" { token_policy = ` + rule + " }\n" }
	for _, c := range []struct{ name, config, want string }{
		{"90 days", standard, ""},
		{"never", edit(standard, `"90d"`, `"never"`), never},
		{"never, and that is allowed", policy(`{ allow_never = true }`) + edit(standard, `"90d"`, `"never"`), ""},
		{"91 days", edit(standard, `"90d"`, `"91d"`), long},
		{"91 days, and that is allowed", policy(`{ max_expires_in = "91d" }`) + edit(standard, `"90d"`, `"91d"`), ""},
		{"a fixed end in 90 days", edit(standard, `expires_in = "90d"`, `expires_at = "2026-04-05T09:00:00Z"`), ""},
		{"a fixed end in 91 days", edit(standard, `expires_in = "90d"`, `expires_at = "2026-04-06T09:00:00Z"`), long},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			person := s.terminal(c.config)
			for _, said := range []string{person.run("plan"), person.apply(), person.run("plan")} {
				for _, warning := range []string{never, long} {
					if strings.Contains(said, warning) != (warning == c.want) {
						t.Errorf("%q should be said: %t, in:\n%s", warning, warning == c.want, said)
					}
				}
			}
		})
	}
}

// A replaced token that no run has revoked causes a warning once it is a day late.
func TestWarnsOfAnOverdueToken(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	person.apply()
	s.advance(2*day - time.Second)
	s.wantSilent(person.run("plan"), "past its overlap")
	s.advance(time.Second)
	plan := person.run("plan")
	s.wantSays(plan, "Warning: Replaced token still works after its overlap")
	s.wantSays(plan, "ended at 2026-02-06T09:00:00Z, but the token still works. The next apply revokes it.")
	person.apply()
	s.wantLive(1)
	s.wantSilent(person.run("plan"), "past its overlap")
}

// A protected token is not destroyed by any kind of destroy, and nothing is revoked in the
// process.
func TestDeletionProtection(t *testing.T) {
	protected := edit(standard, `  name `, "  deletion_protection = true\n  name ")
	s := newStage(t)
	person := s.terminal(protected)
	person.apply()
	const refusal = "Error: Token is protected from deletion"
	s.wantSays(person.fails("plan", "-destroy"), refusal)
	s.wantSays(person.fails("destroy", "-auto-approve"), refusal)
	person.write("")
	s.wantSays(person.fails("plan"), refusal+" ... first set deletion_protection = false and apply")
	person.write(protected)
	s.wantSays(person.fails("apply", "-auto-approve", "-replace="+ci), refusal)
	s.wantCalls(s.apiCalls(), "DELETE", 0)
	s.wantWorks("the secret", s.secret(standardPath), true)
	s.wantSays(person.run("plan"), "No changes.")

	person.write(edit(protected, "deletion_protection = true", "deletion_protection = false"))
	s.forgetCalls()
	person.apply()
	s.wantCalls(s.apiCalls(), "POST", 0)
	s.wantCalls(s.vaultCalls(), "PUT secret/data", 0)
	person.run("destroy", "-auto-approve")
	s.wantLive(0)
}

// The provider may use a token that Terraform manages. It does not revoke the token while
// it uses it, but does so when it uses the next one.
func TestOwnTokenIsNotEnded(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(edit(standard, `"90d"`, `"never"`)) // in PAIStrike no token can create one that outlives it
	person.apply()
	management := s.env["PAISTRIKE_API_TOKEN"]
	use := func(secret string) { person.Setenv("PAISTRIKE_API_TOKEN=" + secret) }
	first := s.secret(standardPath)
	use(first)
	s.wantSays(person.fails("destroy", "-auto-approve"), "Error: Token not destroyed ... is the provider's own token (api_token).")
	s.wantWorks("the token in use", first, true)

	s.advance(31 * day)
	person.apply()
	s.advance(25 * time.Hour)
	s.wantSays(person.fails("apply", "-auto-approve"), "Error: Token not updated ... is the provider's own token (api_token).")
	s.wantWorks("the token in use, after its overlap", first, true)
	use(s.secret(standardPath))
	person.apply()
	s.wantWorks("the token that was in use", first, false)
	use(management)
	person.run("destroy", "-auto-approve")
	s.wantLive(0)
}

// The provider identifies its own token once in a run, and only if something is to be
// revoked.
func TestOwnTokenIsAskedForOnce(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	many := edit(standard, `resource "paistrike_api_token" "ci" {`, "resource \"paistrike_api_token\" \"ci\" {\n  count = 5",
		`"ci/paistrike"`, `"ci/${count.index}"`)
	person := s.terminal(many)
	person.apply()
	s.forgetCalls()
	person.run("plan")
	s.wantCalls(s.apiCalls(), "GET /api-tokens/self", 0)
	person.run("destroy", "-auto-approve")
	s.wantCalls(s.apiCalls(), "GET /api-tokens/self", 1)
}

// Different notations of the same value are equal.
func TestNoDifferenceByWording(t *testing.T) {
	until := edit(standard, `expires_in = "90d"`, `expires_at = "2026-03-01"`)
	for name, c := range map[string]struct{ before, after string }{
		"a unit":                  {standard, edit(standard, `"90d"`, `"2160h"`, `"24h"`, `"1d"`)},
		"minutes":                 {standard, edit(standard, `"24h"`, `"1440m"`)},
		"a date and its midnight": {until, edit(until, `"2026-03-01"`, `"2026-03-01T00:00:00Z"`)},
		"an offset":               {until, edit(until, `"2026-03-01"`, `"2026-03-01T01:00:00+01:00"`)},
		"an offset of zero":       {until, edit(until, `"2026-03-01"`, `"2026-03-01T00:00:00+00:00"`)},
		"null":                    {standard, edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = null, window = null, on_revoked = null`)},
		"a null beside":           {standard, edit(standard, `  name `, "  deletion_protection = null\n  expires_at = null\n  name ")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(
				act{config: c.before},
				act{config: c.after, plan: nothing(), state: state(secretVersion(1))},
				act{config: c.before, plan: nothing(), state: state(secretVersion(1))},
			)
		})
	}
}

// An empty value instead of an omitted one is written to the state once, and does not
// cause a rotation.
func TestEmptyIsNoReason(t *testing.T) {
	for name, config := range map[string]string{
		"no triggers":   edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = {}`),
		"no adoption":   edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = false`),
		"no protection": edit(standard, `  name `, "  deletion_protection = false\n  name "),
		"the default":   edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", on_destroy = "delete"`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(
				act{config: standard},
				act{config: config, plan: []plancheck.PlanCheck{unchanged("token_id"), unchanged("secret_version")}, state: state(secretVersion(1))},
				act{config: standard, plan: []plancheck.PlanCheck{unchanged("token_id"), unchanged("secret_version")}, state: state(secretVersion(1))},
			)
		})
	}
}
