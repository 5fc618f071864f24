package provider_test

import (
	"fmt"
	"net/http"
	"testing"
)

// versions returns the condition of each version of an entry: "readable", "deleted" or
// "destroyed". It returns nil if the entry does not exist.
func (s *stage) versions(path string) map[string]string {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		return s.aws.versions(s, name)
	}
	var answer struct {
		Versions map[string]struct {
			Deletion  string `json:"deletion_time"`
			Destroyed bool   `json:"destroyed"`
		}
	}
	if s.ask(http.MethodGet, "secret/metadata/"+path, nil, &answer) == http.StatusNotFound {
		return nil
	}
	conditions := map[string]string{}
	for number, version := range answer.Versions {
		switch {
		case version.Destroyed:
			conditions[number] = "destroyed"
		case version.Deletion != "":
			conditions[number] = "deleted"
		default:
			conditions[number] = "readable"
		}
	}
	return conditions
}

// onDestroy returns [standard] with a value of on_destroy.
func onDestroy(how string) string {
	return edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", on_destroy = "`+how+`"`)
}

// empty is a configuration without the resource.
const empty = `output "nothing" { value = "" }`

func TestDestroy(t *testing.T) {
	s := newStage(t)
	var first, second string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{before: s.later(31 * day), config: standard, after: func() { second = s.secret(standardPath) }},
		act{
			config: empty,
			after: func() {
				s.wantWorks("the current token", second, false)
				s.wantWorks("the token in its overlap", first, false)
				for number, condition := range s.versions(standardPath) {
					if condition != "deleted" {
						t.Errorf("version %s is %s", number, condition)
					}
				}
				if state := s.custom(standardPath)["paistrike_state"]; state != "tombstone" {
					t.Errorf("custom metadata says %q", state)
				}
			},
		},
	)
}

// After a destroy, whatever on_destroy is, the path can be used again without adopt.
func TestApplyAfterDestroy(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{config: empty},
		act{config: onDestroy("keep"), plan: creates(), newID: true, state: state(secretVersion(3), previous(0))},
		act{config: empty, after: func() {
			if got := s.versions(standardPath); got["1"] != "deleted" || got["3"] != "readable" || s.secret(standardPath) != "" {
				t.Errorf("versions are %v, and the current one must hold no secret", got)
			}
		}},
		act{config: onDestroy("purge"), plan: creates(), newID: true, state: state(secretVersion(5), previous(0))},
		act{config: empty, after: func() {
			if got := s.versions(standardPath); got != nil {
				t.Errorf("versions are %v, want none", got)
			}
		}},
		act{config: standard, plan: creates(), newID: true, state: state(secretVersion(6), previous(0))},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(secretVersion(7))},
	)
}

// A destroy succeeds even if parts were already removed.
func TestDestroyWhatIsGone(t *testing.T) {
	s := newStage(t)
	taken := []func(at string){
		func(at string) { s.paistrike.Revoke(s.entry(at).serves()) },
		func(at string) { s.paistrike.Forget(s.entry(at).serves()) },
		func(at string) { s.must(http.MethodDelete, "secret/data/"+at, nil) },
		func(at string) { s.must(http.MethodDelete, "secret/metadata/"+at, nil) },
		func(at string) { s.must(http.MethodPut, "secret/destroy/"+at, map[string]any{"versions": []int{1}}) },
		func(string) { s.advance(91 * day) }, // the last, because all expire
	}
	s.play(
		act{config: manyTokens(len(taken))},
		act{
			before: func() {
				for i, take := range taken {
					take(fmt.Sprintf("many/%d", i))
				}
			},
			config: empty, after: func() { s.wantLive(0) },
		},
	)
}

// If someone wrote their own secret to our entry, a destroy revokes the token and keeps
// the secret.
func TestDestroyLeavesAForeignSecret(t *testing.T) { overBoth(t, destroyLeavesAForeignSecret) }

func destroyLeavesAForeignSecret(s *stage) {
	s.play(
		act{config: standard},
		act{before: func() { s.writeByHand(standardPath, someonesSecret) }, config: empty, after: func() { s.wantLive(0) }},
	)
	if s.secret(standardPath) != someonesSecret {
		s.Error("someone's secret was touched")
	}
}
