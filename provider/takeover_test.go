package provider_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// repeats is how often stories that depend on an order are run: Terraform chooses a
// different order each time.
var repeats = flag.Int("repeats", 1, "how often stories that depend on Terraform's order are told")

// wantServed fails the test unless the entry serves a working token, is described as
// active, and has its schedule.
func (s *stage) wantServed(path, period string) {
	s.Helper()
	s.wantWorks("the secret of "+path, s.secret(path), true)
	custom := s.custom(path)
	if custom["paistrike_state"] != "active" || custom["paistrike_rotation_period"] != period || custom["paistrike_token_id"] != s.entry(path).serves() {
		s.Errorf("custom metadata of %s: %v", path, custom)
	}
}

// settled fails the test unless there is nothing to do, now and after every overlap.
func (t *terminal) settled(live int) {
	t.stage.Helper()
	t.stage.wantSays(t.run("plan"), "No changes.")
	t.stage.advance(25 * time.Hour)
	t.apply()
	t.stage.wantSays(t.run("plan"), "No changes.")
	t.stage.wantLive(live)
}

// For Terraform, a new name without a moved block is a destroy and a create, in any order.
// The plan states what that means. The entry ends up with a working token.
func TestRenameWithoutMoved(t *testing.T) {
	s := newStage(t)
	names := []string{`"ci"`, `"build"`}
	person := s.terminal(standard)
	person.apply()
	for i := range *repeats {
		person.write(edit(standard, `"ci"`, names[(i+1)%2]))
		plan := person.run("plan")
		s.wantSays(plan, "Warning: Entry will be taken over from another resource ... PS214: secret/ci/paistrike is published by another resource")
		s.wantSays(plan, "write a moved block instead: without it, Terraform destroys the other resource in the same apply, and its token may be revoked before the new one is published")
		person.apply()
		s.wantServed(standardPath, "30d")
		person.settled(1)
	}
}

// three returns a configuration that creates resources from a list of integrations with
// count.
func three(names ...string) string {
	return fmt.Sprintf(`
locals { integrations = [%s] }
resource "paistrike_api_token" "fleet" {
  count      = length(local.integrations)
  name       = local.integrations[count.index]
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "fleet/${local.integrations[count.index]}" }
}
`, `"`+strings.Join(names, `", "`)+`"`)
}

// The first item of a list is removed, and every resource moves to its neighbor's entry.
func TestCountShiftedByOne(t *testing.T) {
	for range *repeats {
		t.Run("", func(t *testing.T) {
			s := newStage(t)
			person := s.terminal(three("alpha", "bravo", "charlie"))
			person.apply()
			person.write(three("bravo", "charlie"))
			person.apply()
			s.wantServed("fleet/bravo", "30d")
			s.wantServed("fleet/charlie", "30d")
			person.settled(2)
			s.wantServed("fleet/bravo", "30d")
			s.wantServed("fleet/charlie", "30d")
			if s.secret("fleet/alpha") != "" {
				t.Error("the entry that was removed still serves a secret")
			}
		})
	}
}

// Two resources swap their integrations, names and paths.
func TestSwappedPlaces(t *testing.T) {
	for range *repeats {
		t.Run("", func(t *testing.T) {
			s := newStage(t)
			person := s.terminal(three("alpha", "bravo"))
			person.apply()
			person.write(three("bravo", "alpha"))
			person.apply()
			s.wantServed("fleet/alpha", "30d")
			s.wantServed("fleet/bravo", "30d")
			person.settled(2)
			s.wantServed("fleet/alpha", "30d")
			s.wantServed("fleet/bravo", "30d")
		})
	}
}

// Two workspaces use the same name and path. The second takes the entry over with a
// warning. The first learns that in its next plan, and revokes only its own tokens.
func TestTwoWorkspacesWithOnePath(t *testing.T) {
	s := newStage(t)
	first, second := s.terminal(standard), s.terminal(standard)
	first.apply()
	s.wantSays(second.run("plan"), "Warning: Entry will be taken over from another resource ... PS214")
	s.wantSays(second.apply(), "Warning: Entry was taken over from another resource ... PS214")
	taken := s.entry(standardPath)

	plan := first.run("plan")
	s.wantSays(plan, "~ secret_version = 1 -> (known after apply)")
	s.wantSays(plan, "Plan: 0 to add, 1 to change, 0 to destroy.")
	s.wantSays(plan, "Warning: Entry is managed by another resource ... PS209: secret/ci/paistrike is published by another resource (owner "+taken.record.Owner+")")
	s.wantSilent(plan, taken.serves()+`"`) // another owner's token never gets into the state
	s.wantSays(first.fails("apply", "-auto-approve"), "Error: Entry is managed by another resource ... PS209")
	if got := first.attributes(); got["token_id"] == taken.serves() {
		t.Error("the first copied the second's token into its state")
	}
	s.forgetCalls()
	s.wantSays(first.run("destroy", "-auto-approve"), "Warning: Entry was not changed ... PS605")
	s.wantCalls(s.apiCalls(), "DELETE", 0)
	s.wantCalls(s.vaultCalls(), "P", 0)
	s.wantServed(standardPath, "30d")
	second.settled(1)
}

// A destroy in one workspace is interrupted while another one publishes. Whatever it was
// about to do, the entry ends up with the new token. If the destroy described the entry
// too late, one more apply corrects that without minting.
func TestDestroyHeldWhileAnotherPublishes(t *testing.T) {
	for name, c := range map[string]struct{ method, path string }{
		"before the tombstone":      {http.MethodPut, "/v1/secret/data/"},
		"before the revocation":     {http.MethodDelete, "/api/v1/api-tokens/"},
		"before the late look":      {http.MethodGet, "/v1/secret/metadata/"},
		"before the mirror":         {http.MethodPatch, "/v1/secret/metadata/"},
		"before the versions go":    {http.MethodPost, "/v1/secret/delete/"},
		"before the record is read": {http.MethodGet, "/v1/secret/data/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			gate := s.newGate(c.method, c.path)
			first, second := s.terminal(standard), s.terminal(standard)
			first.apply()
			first.Setenv("VAULT_ADDR="+gate.vault, "PAISTRIKE_ENDPOINT="+gate.api, "PAISTRIKE_VAULT_IDENTITY="+strings.TrimPrefix(s.vaultURL, "http://"))
			done := make(chan error, 1)
			go func() {
				_, err := first.Run(t.Context(), "destroy", "-auto-approve", "-no-color")
				done <- err
			}()
			select {
			case <-gate.reached:
			case err := <-done:
				t.Fatal("the destroy never came to the gate: ", err)
			}
			second.apply()
			close(gate.open)
			if err := <-done; err != nil {
				t.Errorf("the destroy: %v", err)
			}
			minted := s.minted()
			second.apply()
			s.wantServed(standardPath, "30d")
			s.wantSays(second.run("plan"), "No changes.")
			if s.minted() != minted {
				t.Error("putting right minted a token")
			}
			second.settled(1)
		})
	}
}

// gate stands between one process and both servers, and holds the first request of a kind.
type gate struct {
	vault, api    string
	reached, open chan struct{}
}

func (s *stage) newGate(method, prefix string) *gate {
	s.Helper()
	g := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	var met atomic.Bool
	before := func(target string) string {
		to, err := url.Parse(target)
		if err != nil {
			s.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method && strings.HasPrefix(r.URL.Path, prefix) && !met.Swap(true) {
				close(g.reached)
				<-g.open
			}
			proxy.ServeHTTP(w, r)
		}))
		s.Cleanup(server.Close)
		return server.URL
	}
	g.vault, g.api = before(s.vaultURL), before(s.apiURL)
	return g
}
