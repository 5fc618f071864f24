package runner

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"testing"
)

// The error without an OIDC endpoint depends on who started the run.
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
			e := ReadEvent(func(name string) string { return env[name] }, func(string) ([]byte, error) {
				if test.payload == "" {
					return nil, fs.ErrNotExist
				}
				return []byte(test.payload), nil
			})
			f, ok := errors.AsType[*Failure](e.noIdentity())
			if !ok || f.Code != test.want {
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
	got := ReadClaims(token(`{"sub":"a\nb","aud":["x","y"],"jti":"secret-id","repository_id":"7"}`))
	if shown, _ := got.About("anything"); shown != "  aud = x y\n  sub = a b\n  repository_id = 7" {
		t.Errorf("%q", shown)
	}
	if shown, sub := got.About(`claim "sub" does not match`); shown != "  sub = a b" || !sub {
		t.Errorf("%q %v", shown, sub)
	}
	for _, bad := range []string{"", "a.b", "a.!.c", "a." + base64.RawURLEncoding.EncodeToString([]byte("[]")) + ".c"} {
		if len(ReadClaims(bad)) != 0 {
			t.Errorf("claims out of %q", bad)
		}
	}
}
