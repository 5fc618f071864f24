package job

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// The error text of the real Vault server selects the message.
func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	s := &session{
		identity: &runner.Identity{Claims: runner.Claims{"sub": "repo:acme/app", "environment": "production"}},
		set:      settings{connection: connection{audience: "https://v"}},
	}
	s.set.vault.Login.Role = "ci"
	for said, want := range map[string]string{
		"error validating token: audience claim found in JWT but no audiences bound to the role":                 "PSA203",
		"error validating token: invalid audience (aud) claim: audience claim does not match any bound audience": "PSA204",
		`error validating claims: claim "environment" does not match any associated bound claim values`:          "PSA205",
		"error validating token: invalid subject (sub) claim":                                                    "PSA205",
		`role "ci" could not be found`:            "PSA206",
		"could not load configuration":            "PSA206",
		"permission denied":                       "PSA206",
		"role with oidc role_type is not allowed": "PSA207",
		"something that no release has said yet":  "PSA206",
	} {
		err := s.loginFailed(&vault.LoginError{Method: "jwt", Mount: "jwt", Err: &vault.Error{Status: 400, Reasons: []string{said}}})
		f, ok := errors.AsType[*runner.Failure](err)
		if !ok || f.Code != want {
			t.Errorf("%s: %v", said, err)
		}
		if want == "PSA206" && !strings.Contains(err.Error(), said) {
			t.Errorf("Vault's words are missing: %v", err)
		}
	}
}

// Text from a server cannot break out of its table cell in the summary.
func TestSummaryEscapes(t *testing.T) {
	t.Parallel()
	s := &session{set: settings{mode: modeMint, envName: "T"}}
	text := s.summary(token{source: "minted"})
	odd := token{source: "minted"}
	odd.ID, odd.Name = "`a`|b", "x|\n| <img src=x> [click](http://evil) ![i](j)"
	got := s.summary(odd)
	if strings.Count(got, "\n") != strings.Count(text, "\n") || strings.ContainsAny(got, "[]") || strings.Contains(got, "<img") || strings.Contains(got, "`a`") {
		t.Error(got)
	}
}

// Commands run anywhere, so only the message that shows GitHub's claims mentions GitHub.
func TestTextsAreForAnyPlace(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"errors.go", "settings.go", "settings_vault.go", "settings_folder.go", "notices.go"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			code, _, _ := strings.Cut(line, "//")
			if _, text, quoted := strings.Cut(code, `"`); quoted && strings.Contains(text, "GitHub") && !strings.Contains(text, "Since 2026, GitHub includes IDs in sub") {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}
