package main

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Who started the run decides which message helps.
func TestNoIdentity(t *testing.T) {
	t.Parallel()
	const fork = `{"pull_request":{"head":{"repo":{"full_name":"mallory/app"}}}}`
	const own = `{"pull_request":{"head":{"repo":{"full_name":"Acme/App"}}}}`
	for _, test := range []struct{ name, event, actor, payload, act, want string }{
		{"a push", "push", "ann", `{}`, "", "PSA101"},
		{"no event", "", "", ``, "", "PSA101"},
		{"a pull request of the repository", "pull_request", "ann", own, "", "PSA101"},
		{"a pull request from a fork", "pull_request", "mallory", fork, "", "PSA102"},
		{"a fork that was deleted", "pull_request", "mallory", `{"pull_request":{"head":{"repo":null}}}`, "", "PSA102"},
		{"a review of a fork's", "pull_request_review", "mallory", fork, "", "PSA102"},
		{"with the rights of the base", "pull_request_target", "mallory", fork, "", "PSA101"},
		{"Dependabot", "push", "dependabot[bot]", `{}`, "", "PSA103"},
		{"act", "pull_request", "dependabot[bot]", fork, "true", "PSA105"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{
				"GITHUB_EVENT_NAME": test.event, "GITHUB_REPOSITORY": "acme/app", "GITHUB_ACTOR": test.actor, "ACT": test.act, "GITHUB_EVENT_PATH": "event.json",
			}
			e := readEvent(func(name string) string { return env[name] }, func(string) ([]byte, error) {
				if test.payload == "" {
					return nil, fs.ErrNotExist
				}
				return []byte(test.payload), nil
			})
			f, ok := errors.AsType[*failure](e.noIdentity())
			if !ok || f.code != test.want {
				t.Errorf("%v", f)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	token := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	got := readClaims(token(`{"sub":"a\nb","aud":["x","y"],"jti":"secret-id","repository_id":"7"}`))
	if shown, _ := got.about("anything"); shown != "  aud = x y\n  sub = a b\n  repository_id = 7" {
		t.Errorf("%q", shown)
	}
	if shown, sub := got.about(`claim "sub" does not match`); shown != "  sub = a b" || !sub {
		t.Errorf("%q %v", shown, sub)
	}
	for _, bad := range []string{"", "a.b", "a.!.c", "a." + base64.RawURLEncoding.EncodeToString([]byte("[]")) + ".c"} {
		if len(readClaims(bad)) != 0 {
			t.Errorf("claims out of %q", bad)
		}
	}
}

// The words of Vault's refusals, as the real server says them, choose the message.
func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	p := &program{claims: claims{"sub": "repo:acme/app", "environment": "production"}, set: settings{connection: connection{audience: "https://v"}}}
	p.set.vault.Login.Role = "ci"
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
		err := p.loginFailed(&vault.LoginError{Method: "jwt", Mount: "jwt", Err: &vault.Error{Status: 400, Reasons: []string{said}}})
		f, ok := errors.AsType[*failure](err)
		if !ok || f.code != want {
			t.Errorf("%s: %v", said, err)
		}
		if want == "PSA206" && !strings.Contains(err.Error(), said) {
			t.Errorf("Vault's words are missing: %v", err)
		}
	}
}

// Text of a server cannot break out of its cell in the summary.
func TestSummaryEscapes(t *testing.T) {
	t.Parallel()
	p := &program{set: settings{mode: modeMint, envName: "T"}}
	text := p.summary(token{source: "minted"})
	odd := token{source: "minted"}
	odd.ID, odd.Name = "`a`|b", "x|\n| <img src=x> [click](http://evil) ![i](j)"
	got := p.summary(odd)
	if strings.Count(got, "\n") != strings.Count(text, "\n") || strings.ContainsAny(got, "[]") || strings.Contains(got, "<img") || strings.Contains(got, "`a`") {
		t.Error(got)
	}
}
