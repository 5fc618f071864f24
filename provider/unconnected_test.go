package provider_test

import (
	"slices"
	"strings"
	"testing"
)

// forty is a fleet of tokens with different paths.
const forty = `
resource "paistrike_api_token" "fleet" {
  count      = 40
  name       = "Integration ${count.index}"
  expires_in = "90d"
  vault      = { mount = "secret", path = "fleet/${count.index}" }
}
`

// anyVault is [newStage] without options.
func anyVault(t *testing.T) *stage { return newStage(t) }

// wantErrors fails the test unless a text contains the given number of errors, and the
// words.
func (s *stage) wantErrors(text string, count int, words string) {
	s.Helper()
	s.wantSays(text, words)
	if got := strings.Count(text, "Error: "); got != count {
		s.Errorf("%d errors, want %d:\n%s", got, count, text)
	}
}

// A problem that affects every token is one error in the plan, not one for each token.
func TestWhatEveryTokenLacksIsSaidOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stage    func(*testing.T) *stage
		variable string
		says     string
	}{
		"address of Vault": {anyVault, "VAULT_ADDR", "Error: Provider configuration is invalid ... vault.address is not set: write it in the provider block or set VAULT_ADDR"},
		"login to Vault":   {anyVault, "VAULT_TOKEN", "Error: Provider configuration is invalid ... no login to Vault is configured"},
		"region of AWS":    {newAWSStage, "AWS_REGION", "Error: AWS region is missing ... Set region in the aws block of the provider"},
	} {
		t.Run(name, func(t *testing.T) {
			onOneCLI(t)
			s := c.stage(t)
			person := s.terminal(forty)
			person.Setenv(c.variable+"=", "HOME="+t.TempDir())
			s.wantErrors(person.fails("plan"), 1, c.says)
			if calls := slices.Concat(s.apiCalls(), s.vaultCalls()); len(calls) != 0 {
				t.Errorf("these were asked: %v", calls)
			}
		})
	}
}

// A plan of existing tokens also reports it once. An apply of a saved plan reports for
// each token that it was not created: none of them may seem done.
func TestAnApplySaysOfEachTokenWhatItLacks(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(forty)
	with, without := "VAULT_ADDR="+s.vaultURL, "VAULT_ADDR="
	const lacks = "Error: Provider configuration is invalid ... vault.address is not set"

	person.run("plan", "-out=plan")
	person.Setenv(without)
	s.wantErrors(person.fails("apply", "plan"), 40, lacks)
	s.wantLive(0)

	person.Setenv(with)
	person.apply()
	s.wantLive(40)
	person.Setenv(without)
	s.wantErrors(person.fails("plan"), 1, lacks)
	s.wantErrors(person.fails("destroy", "-auto-approve"), 1, lacks)
	person.Setenv(with)
	person.run("destroy", "-auto-approve")
	s.wantLive(0)
}
