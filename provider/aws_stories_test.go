package provider_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// inAmazon returns [standard] in AWS, with settings in addition to the name.
func inAmazon(settings string) string {
	return edit(standard, `vault      = { mount = "secret", path = "ci/paistrike" }`, `aws_secrets_manager = { name = "ci/paistrike"`+settings+` }`)
}

// A secret that was deleted, restorably or permanently, comes back with a new token.
// Consumers that use the old token keep it for its overlap.
func TestSecretOfAWSTakenAway(t *testing.T) {
	s := newAWSStage(t)
	var first string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{
			before: func() { s.deleteByHand(standardPath) }, config: standard,
			plan: rotates("secret_deleted"), state: state(secretVersion(2), previous(1)),
			after: func() { s.wantWorks("the first token", first, true) },
		},
		act{
			before: func() { s.purgeByHand(standardPath) }, config: standard,
			plan: rotates("secret_missing"), state: state(secretVersion(3), previous(2)),
		},
		act{before: s.later(2 * day), config: standard, plan: retires(), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

// How a secret ends, and how its name becomes available again.
func TestDestroyInAWS(t *testing.T) {
	s := newAWSStage(t)
	person := s.terminal(inAmazon(`, recovery_window = "7d"`))
	s.wantSilent(person.apply(), "Secret will be restored")
	person.run("destroy", "-auto-approve")
	d, _ := s.aws.describe(s, standardPath)
	if ends := s.paistrike.Clock().Now().Add(7 * day); d.DeletedDate == nil || !d.DeletedDate.Equal(ends) {
		t.Errorf("the secret can be restored until %v, want %s", d.DeletedDate, ends)
	}
	s.wantSays(person.run("plan"), "Warning: Secret will be restored ... "+region+"/ci/paistrike is scheduled for deletion")

	person.write(inAmazon(`, on_destroy = "keep"`))
	s.wantSays(person.apply(), "Warning: Secret will be restored")
	s.wantWorks("the secret", s.secret(standardPath), true)
	person.run("destroy", "-auto-approve")
	if d, _ := s.aws.describe(s, standardPath); d.DeletedDate != nil || s.secret(standardPath) != "" {
		t.Errorf("kept: deleted %v, and it serves %q", d.DeletedDate, s.secret(standardPath))
	}

	person.write(inAmazon(`, on_destroy = "purge"`))
	s.wantSilent(person.apply(), "Secret will be restored")
	person.run("destroy", "-auto-approve")
	if _, there := s.aws.describe(s, standardPath); there {
		t.Error("the purged secret is still there")
	}
	s.wantLive(0)
}

// A move between stores is like any other move: the new location first, then the overlap,
// then the former location ends. The same applies to the way back.
func TestMoveBetweenStores(t *testing.T) {
	s := newStageOfBoth(t)
	there := inAWS + standardPath
	var first, second string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{
			config: inAmazon(""), plan: rotates("secret_moved"), state: state(secretVersion(2), previous(1)),
			after: func() {
				second = s.secret(there)
				s.wantWorks("the secret in AWS", second, true)
				s.wantWorks("the secret in Vault", first, true)
				if custom := s.custom(standardPath); custom["paistrike_rotation_period"] != "" {
					t.Errorf("Vault's entry is still scheduled: %v", custom)
				}
			},
		},
		act{
			before: s.later(25 * time.Hour), config: inAmazon(""), plan: retires(), state: state(secretVersion(2), previous(0)),
			after: func() {
				s.wantWorks("the first token", first, false)
				if s.secret(standardPath) != "" {
					t.Error("Vault still serves a secret")
				}
			},
		},
		act{
			config: standard, plan: rotates("secret_moved"), state: state(secretVersion(4), previous(1)),
			after: func() {
				s.wantWorks("the secret in Vault", s.secret(standardPath), true)
				s.wantWorks("the secret in AWS", s.secret(there), true)
			},
		},
		act{
			before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0)),
			after: func() {
				s.wantWorks("the second token", second, false)
				if d, _ := s.aws.describe(s, standardPath); d.DeletedDate == nil {
					t.Error("the secret in AWS was not deleted")
				}
			},
		},
	)
}

// A run that uses both stores lists PAIStrike's tokens once.
func TestOneListForBothStores(t *testing.T) {
	s := newStageOfBoth(t)
	both := standard + "\n" + strings.NewReplacer(`"ci"`, `"aws"`).Replace(inAmazon(""))
	person := s.terminal(both)
	person.apply()
	s.forgetCalls()
	s.wantSays(person.run("plan"), "No changes.")
	lists := slices.DeleteFunc(s.apiCalls(), func(call string) bool { return call != "GET /api-tokens" })
	if len(lists) != 1 || s.minted() != 2 {
		t.Errorf("a plan over both stores lists %d times, with %d tokens minted", len(lists), s.minted())
	}
}

// During a move between stores, a destroy ends both locations.
func TestDestroyBetweenStores(t *testing.T) {
	s := newStageOfBoth(t)
	s.play(act{config: standard}, act{config: inAmazon(""), plan: rotates("secret_moved")})
	for _, at := range []string{standardPath, inAWS + standardPath} {
		if s.secret(at) != "" {
			t.Errorf("%s still serves a secret", at)
		}
	}
}

// Changing the provider's region moves its secrets.
func TestProviderMovesToAnotherRegion(t *testing.T) {
	s := newAWSStage(t)
	elsewhere := `provider "paistrike" { aws = { region = "eu-west-1" } }` + "\n" + standard
	s.play(
		act{config: standard, state: state(secretVersion(1))},
		act{config: inAmazon(`, region = "eu-central-1"`), plan: nothing()},
		act{config: elsewhere, plan: rotates("secret_moved"), unsound: true, after: func() { s.wantLive(2) }},
		act{
			before: s.later(25 * time.Hour), config: elsewhere, plan: retires(), unsound: true,
			after: func() {
				s.wantLive(1)
				if d, _ := s.aws.describe(s, standardPath); d.DeletedDate == nil {
					t.Error("the secret in the former region was not deleted")
				}
			},
		},
	)
}

// A new secret gets the key and the tags of the configuration. Later changes of the tags
// are applied. The key can be changed only in AWS.
func TestKeyAndTagsOfTheSecret(t *testing.T) {
	s := newAWSStage(t)
	person := s.terminal(inAmazon(`, kms_key_id = "alias/ci", tags = { team = "platform" }`))
	person.apply()
	d, _ := s.aws.describe(s, standardPath)
	if tags := s.custom(standardPath); sdk.ToString(d.KmsKeyId) != "alias/ci" || tags["team"] != "platform" || tags["paistrike_state"] != "active" {
		t.Errorf("key %q, tags %v", sdk.ToString(d.KmsKeyId), tags)
	}
	person.write(inAmazon(`, kms_key_id = "alias/other", tags = { team = "security", cost = "42" }`))
	s.wantSays(person.run("plan"), "Warning: KMS key of the secret will not change")
	person.apply()
	if tags := s.custom(standardPath); tags["team"] != "security" || tags["cost"] != "42" || s.minted() != 1 {
		t.Errorf("tags %v, %d minted", tags, s.minted())
	}
	s.wantSays(person.apply(), "No changes.")
	person.write(inAmazon(`, kms_key_id = "alias/other", tags = { team = "security" }`))
	person.apply()
	if tags := s.custom(standardPath); tags["team"] != "security" || tags["cost"] != "" || tags["paistrike_state"] != "active" || s.minted() != 1 {
		t.Errorf("a tag was taken out of the configuration: tags %v, %d minted", tags, s.minted())
	}
}

// A lost state is recovered from the secret's tags.
func TestImportFromAWS(t *testing.T) {
	s := newAWSStage(t)
	first := s.terminal(standard)
	first.apply()
	second := s.terminal(standard + entryImport(ci, "aws/"+region+"/ci/paistrike"))
	s.forgetCalls()
	s.wantSays(second.run("plan"), "Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.")
	s.nothingWritten()
	s.nothingRead()
	s.wantSays(second.apply(), "1 imported, 0 added, 1 changed, 0 destroyed.")
	s.wantSays(second.run("plan"), "No changes.")
	s.wantSays(first.fails("apply", "-auto-approve"), "Error: Entry is managed by another resource ... PS209")
	if s.minted() != 1 {
		t.Errorf("%d tokens were minted", s.minted())
	}
	third := s.terminal(standard)
	for id, words := range map[string]string{
		"aws/eu-central-1/nothing/there": "eu-central-1/nothing/there serves no token that paistrike published",
		"aws/ci/paistrike":               "is not the id of a secret. Write it as aws/REGION/NAME",
		"aws/eu-central-1/":              "is not the id of a secret",
	} {
		s.wantSays(third.fails("import", ci, id), words)
	}
}

// A plain secret: what a consumer reads, and how it is rotated, imported, and converted to
// an object.
func TestPlainSecretOfAWS(t *testing.T) {
	s := newAWSStage(t)
	plain := inAmazon(`, format = "plain"`)
	person := s.terminal(plain)
	person.apply()
	first, _ := s.aws.value(s, standardPath, "")
	s.wantWorks("the value", first, true)
	s.wantSays(person.run("plan"), "No changes.")
	s.advance(31 * day)
	person.apply()
	second, _ := s.aws.value(s, standardPath, "")
	s.wantWorks("the new value", second, true)
	s.wantWorks("the value before", first, true)

	other := s.terminal(plain + entryImport(ci, "aws/"+region+"/ci/paistrike"))
	s.wantSays(other.apply(), "1 imported, 0 added, 1 changed, 0 destroyed.")
	s.wantSays(other.run("plan"), "No changes.")
	if s.minted() != 2 {
		t.Errorf("%d tokens were minted", s.minted())
	}
	other.write(standard)
	s.wantSays(other.run("plan"), `+ rotation_reason = "secret_moved"`)
	other.apply()
	s.wantWorks("the field of the object", s.secret(standardPath), true)
	s.wantSays(other.run("plan"), "No changes.")
	other.run("destroy", "-auto-approve")
	s.wantLive(0)
}

// A token that is imported by ID is taken over by the secret that serves it, although a
// provider without a vault block does not know the location yet.
func TestImportATokenIntoAWS(t *testing.T) {
	s := newAWSStage(t)
	s.terminal(standard).apply()
	id := s.entry(standardPath).serves()
	second := s.terminal(standard + entryImport(ci, id))
	s.wantSays(second.apply(), "1 imported, 0 added, 1 changed, 0 destroyed.")
	s.wantSays(second.run("plan"), "No changes.")
	if s.minted() != 1 {
		t.Errorf("%d tokens were minted", s.minted())
	}
}

// A query proposes locations in AWS if it is configured to.
func TestQueryForAWS(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newAWSStage(t)
	s.paistrike.Mint("CI/CD Pipeline", s.paistrike.Clock().Now().Add(90*day))
	person := s.terminal("")
	found := person.query("include_resource = true\nconfig {\n  name_regex = \"CI\"\n  aws_folder = \"ci\"\n}")
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	at, _ := found[0].Resource["aws_secrets_manager"].(map[string]any)
	if at["name"] != "ci/ci-cd-pipeline" || found[0].Resource["vault"] != nil {
		t.Errorf("the resource is %v", found[0].Resource)
	}
	s.wantCalls(s.awsCalls(), "", 0)
}

// The published example works with its published policy, from create to destroy. Without
// one of the permissions, it names the missing one before a token is minted.
func TestPublishedPolicyOfAWS(t *testing.T) {
	policy := testparts.PublishedAWSPolicy(t, "provisioner")
	example, err := os.ReadFile(filepath.Join("..", "examples", "aws", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s := newAWSStage(t)
	person := s.terminal(edit(string(example), "https://paistrike.example.com", s.apiURL))
	for _, action := range []string{"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "DescribeSecret"} {
		s.logInWith(strings.Replace(string(policy), `"Statement": [`, `"Statement": [{"Effect": "Deny", "Action": "secretsmanager:`+action+`", "Resource": "*"},`, 1))
		s.wantSays(person.fails("apply", "-auto-approve"), "Error: AWS credentials lack a permission ... PS322: ... Allow secretsmanager:"+action+" on the secret")
	}
	if s.minted() != 0 {
		t.Errorf("%d tokens were minted", s.minted())
	}
	s.logInWith(string(policy))
	person.apply()
	s.advance(31 * day)
	person.apply()
	s.wantWorks("the secret", s.secret(standardPath), true)
	s.advance(25 * time.Hour)
	s.wantSays(person.apply(), "0 added, 1 changed, 0 destroyed.")
	person.run("destroy", "-auto-approve")
	s.wantLive(0)
}

// The secret is only in the value: not in state, plans, logs, tags, or what CloudTrail
// records.
func TestSecretOfAWSIsNowhereElse(t *testing.T) {
	s := newAWSStage(t)
	person := s.terminal(standard)
	person.Setenv("TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(person.Dir, "trace.log"))
	said := person.apply()
	secrets := []string{s.secret(standardPath), s.env["AWS_SECRET_ACCESS_KEY"]}
	s.advance(31 * day)
	said += person.run("plan", "-out=plan") + person.run("show", "-json", "plan") + person.apply() + person.run("show", "-json")
	secrets = append(secrets, s.secret(standardPath))
	said += person.run("destroy", "-auto-approve")
	files, err := filepath.Glob(filepath.Join(person.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			said += string(text)
		}
	}
	for key, value := range s.custom(standardPath) {
		said += key + "=" + value + "\n"
	}
	journal, err := s.aws.journalText()
	if err != nil {
		t.Fatal(err)
	}
	said += journal
	if !strings.Contains(said, "paistrike_token_id") || !strings.Contains(said, "PutSecretValue") || len(secrets[0]) < 30 {
		t.Fatal("there is nothing to look through")
	}
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			if strings.Contains(said, spelling) {
				t.Errorf("%q is shown", spelling)
			}
		}
	}
}
