package provider_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// A region or a name that is known only after apply does not fail the plan.
func TestUnknownPlaceInAWS(t *testing.T) {
	s := newAWSStage(t)
	delete(s.env, "AWS_REGION")
	config := `
resource "terraform_data" "place" {
  input = { region = "eu-central-1", name = "ci/paistrike" }
}

provider "paistrike" {
  aws = { region = terraform_data.place.output.region }
}
` + edit(inAmazon(""), `"ci/paistrike"`, "terraform_data.place.output.name")
	s.play(
		act{config: config, plan: creates(), state: state(secretVersion(1))},
		act{before: s.later(31 * day), config: config, plan: rotates("period"), state: state(secretVersion(2))},
	)
}

// Every mistake in the configuration of AWS is reported in the plan, for its attribute,
// without calling a server.
func TestInvalidConfigurationOfAWS(t *testing.T) {
	s := newAWSStage(t)
	named := func(name, settings string) string { return edit(inAmazon(settings), "ci/paistrike", name) }
	const invalid = "Invalid aws_secrets_manager."
	s.compare(map[string]wrong{
		"both stores": {
			edit(standard, `vault      =`, "aws_secrets_manager = { name = \"a\" }\n  vault =\t"),
			"Invalid aws_secrets_manager", "vault and aws_secrets_manager are both set. Set only one of them: a token has one store.",
		},
		"no store": {
			edit(standard, `  vault      = { mount = "secret", path = "ci/paistrike" }`+"\n", ""),
			"Invalid vault", "neither vault nor aws_secrets_manager is set. Set one of them: it is the store for the token's secret.",
		},
		"name empty":       {named("", ""), invalid + "name", "the name is empty."},
		"name with spaces": {named("ci paistrike", ""), invalid + "name", `"ci paistrike" holds " ": AWS allows letters, numbers and /_+=.@- in the name of a secret.`},
		"name too long":    {named(strings.Repeat("a", 513), ""), invalid + "name", "the name has 513 characters, and AWS allows 512."},
		"region in words":  {inAmazon(`, region = "Frankfurt"`), invalid + "region", `"Frankfurt" is not a region such as "eu-central-1".`},
		"window too short": {inAmazon(`, recovery_window = "6d"`), invalid + "recovery_window", `"6d" is not a recovery window: AWS allows 7d to 30d, in whole days.`},
		"window too long":  {inAmazon(`, recovery_window = "31d"`), invalid + "recovery_window", `"31d" is not a recovery window: AWS allows 7d to 30d, in whole days.`},
		"window of hours":  {inAmazon(`, recovery_window = "180h"`), invalid + "recovery_window", `"180h" is not a recovery window: AWS allows 7d to 30d, in whole days.`},
		"key that is taken": {
			inAmazon(`, key = "paistrike"`), invalid + "key", `"paistrike" is reserved for another field of the entry.`,
		},
		"key of a plain secret": {
			inAmazon(`, format = "plain", key = "token"`), invalid + "key", `format is "plain", so the value is only the token and has no fields. Remove key.`,
		},
		"tag of AWS's": {inAmazon(`, tags = { "aws:x" = "y" }`), invalid + "tags", `tag "aws:x" begins with aws:, which AWS reserves.`},
		"tag of ours":  {inAmazon(`, tags = { managed_by = "me" }`), invalid + "tags", `tag "managed_by" is reserved for the token's metadata.`},
	})
	s.nobodyWasAsked()
	person := s.terminal(named("ci/paistrike-abc123", ""))
	s.wantSays(person.run("plan"), `Warning: Name ends like an ARN ... "ci/paistrike-abc123" ends in a hyphen and six characters`)
}

// The provider block has the semantics of hashicorp/aws, and is used only if a secret
// needs it.
func TestProviderBlockOfAWS(t *testing.T) {
	s := newAWSStage(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	s.addRole("deploy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}`, trust)
	s.logInWith(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)
	delete(s.env, "AWS_REGION")
	block := func(settings string) string { return "provider \"paistrike\" {\n  aws = { " + settings + " }\n}\n" }
	role := `region = "eu-central-1", assume_role = { role_arn = "arn:aws:iam::123456789012:role/deploy", session_name = "terraform" }`
	unknown := `
resource "terraform_data" "region" {
  input            = "eu-central-1"
  triggers_replace = "1"
}
`
	s.play(
		act{config: standard, fails: "Error: AWS region is missing ... PS328: Set region in the aws block of the provider"},
		act{config: block(role) + standard, plan: creates(), state: state(secretVersion(1))},
		act{
			before: s.later(31 * day), due: true, plan: []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionNoop)},
			config: unknown + block(strings.Replace(role, `"eu-central-1"`, "terraform_data.region.output", 1)) + standard,
		},
		act{config: block(role) + standard, plan: rotates("period"), state: state(secretVersion(2))},
	)
	for _, event := range s.aws.server.Journal() {
		if event.EventName == "PutSecretValue" && !strings.HasSuffix(event.UserIdentity.ARN, "assumed-role/deploy/terraform") {
			t.Errorf("written as %s", event.UserIdentity.ARN)
		}
	}
}

// The calls for one token are those in the guide on scale. A run looks up the account
// once.
func TestCallsOfATokenInAWS(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "guides", "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newAWSStage(t)
	person := s.terminal(standard)
	planned := func(after time.Duration, options ...string) {
		s.advance(after)
		person.run(append([]string{"plan", "-out=plan"}, options...)...)
		s.forgetCalls()
	}
	apply := func() { person.run("apply", "plan") }
	for _, step := range []struct {
		name    string
		prepare func()
		run     func()
	}{
		{"create", func() { planned(0) }, apply},
		{"plan", s.forgetCalls, func() { s.wantSays(person.run("plan"), "No changes.") }},
		{"rotate", func() { planned(30 * day) }, apply},
		{"retire", func() { planned(day) }, apply},
		{"destroy", func() { planned(0, "-destroy") }, apply},
	} {
		step.prepare()
		step.run()
		calls := slices.DeleteFunc(s.awsCalls(), func(call string) bool { return call == "GetCallerIdentity" })
		if row := "| " + step.name + " | " + callsByName(calls) + " |"; !strings.Contains(string(guide), row) {
			t.Errorf("the guide does not say %s", row)
		}
	}
}
