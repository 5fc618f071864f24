package provider_test

import (
	"net/http"
	"testing"
)

// versions gives the conditions of the versions of an entry: "readable", "deleted"
// or "destroyed"; nil where Vault knows no such entry.
func (s *stage) versions(path string) map[string]string {
	s.Helper()
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

// onDestroy is [standard] with what becomes of its entry.
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

// The path is free for the next one, without adopt.
func TestApplyAfterDestroy(t *testing.T) {
	for _, how := range []string{"delete", "keep", "purge"} {
		t.Run(how, func(t *testing.T) {
			s := newStage(t)
			version := int64(3)
			if how == "purge" {
				version = 1
			}
			s.play(
				act{config: onDestroy(how)},
				act{config: empty},
				act{config: onDestroy(how), plan: creates(), newID: true, state: state(vaultVersion(version), previous(0))},
				act{before: s.later(31 * day), config: onDestroy(how), plan: rotates("period"), state: state(vaultVersion(version + 1))},
			)
		})
	}
}

func TestDestroyKeepsOldVersions(t *testing.T) {
	s := newStage(t)
	s.play(act{config: onDestroy("keep")}, act{config: empty})
	if got := s.versions(standardPath); got["1"] != "readable" || s.secret(standardPath) != "" {
		t.Errorf("versions are %v, and the current one must hold no secret", got)
	}
}

func TestDestroyPurges(t *testing.T) {
	s := newStage(t)
	s.play(act{config: onDestroy("purge")}, act{config: empty})
	if got := s.versions(standardPath); got != nil {
		t.Errorf("versions are %v, want none", got)
	}
}

// What was taken away already is no obstacle.
func TestDestroyWhatIsGone(t *testing.T) {
	for name, take := range map[string]func(s *stage){
		"token revoked":  (*stage).revoke,
		"token deleted":  func(s *stage) { s.paistrike.Forget(s.entry(standardPath).serves()) },
		"token expired":  func(s *stage) { s.advance(91 * day) },
		"secret deleted": func(s *stage) { s.must(http.MethodDelete, "secret/data/"+standardPath, nil) },
		"entry deleted":  func(s *stage) { s.must(http.MethodDelete, "secret/metadata/"+standardPath, nil) },
		"entry destroyed": func(s *stage) {
			s.must(http.MethodPut, "secret/destroy/"+standardPath, map[string]any{"versions": []int{1}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(act{config: standard}, act{before: func() { take(s) }, config: empty, after: func() { s.wantLive(0) }})
		})
	}
}

// Somebody wrote a secret of their own on our entry: the token ends, the secret stays.
func TestDestroyLeavesAForeignSecret(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: func() { s.writeByHand(standardPath, somebodys) }, config: empty, after: func() { s.wantLive(0) }},
	)
	if s.secret(standardPath) != somebodys {
		t.Error("somebody's secret was touched")
	}
}
