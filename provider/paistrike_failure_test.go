package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// creating matches the create.
func creating(f sandbox.Fault) sandbox.Fault {
	f.Method, f.Path = "POST", "/api-tokens"
	return f
}

func always(f sandbox.Fault) sandbox.Fault {
	f.Count = -1
	return f
}

// mintFailures are responses to a create after which there is no new token.
var mintFailures = map[string]struct {
	fault sandbox.Fault
	says  string // in the error; WHERE is what Vault contains
}{
	"401": {
		always(creating(sandbox.Fault{Status: 401})),
		"Error: PAIStrike refused the management token ... PS101: Nothing was created. WHERE Check that api_token (PAISTRIKE_API_TOKEN), or the token at broker_path in a workflow, is active and has not expired.",
	},
	"403": {
		always(creating(sandbox.Fault{Status: 403})),
		"Error: The management token may not create tokens ... PS102: Nothing was created. WHERE Set api_token (PAISTRIKE_API_TOKEN), or the entry at broker_path in a workflow, to the token of a user who can create API tokens.",
	},
	"422": {
		always(creating(sandbox.Fault{Status: 422})),
		`Error: Token not created ... PS100: Nothing was created. WHERE The name of the token was "CI/CD Pipeline-ps1-`,
	},
	"422 for the limit": {
		always(creating(sandbox.Fault{Status: 422, Body: `{"type":"about:blank","title":"Unprocessable","status":422,"code":"limit_reached"}`})),
		"Error: PAIStrike refused to create a token because the account's limit is reached ... PS105: Nothing was created. WHERE Revoke tokens that are no longer needed in PAIStrike under Profile Settings, API Tokens, then run again.",
	},
	"429 for ever": {
		always(creating(sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "7"}})),
		"Error: PAIStrike kept responding with 429 ... PS107: Nothing was created. WHERE Wait until the limit resets, or lower -parallelism (concurrency in a workflow), then run again.",
	},
	"500": {
		always(creating(sandbox.Fault{Status: 500})),
		"Error: It is unknown whether a token was created ... PS104: PAIStrike did not respond to the request to create ... and lists no such token. WHERE If the token exists, or appears later, a later run on this entry revokes it. It expires: 2026-",
	},
	"HTML": {
		always(creating(sandbox.Fault{Status: 200, Body: "<html><body>Sign in</body></html>"})),
		"Error: PAIStrike's response with a new token cannot be read ... PS109: PAIStrike accepted the request to create ... but its response cannot be used. PAIStrike lists no such token; if one appears, a later run on this entry revokes it. WHERE Compare api_routes with the server's API reference.",
	},
	"a redirect": {
		always(creating(sandbox.Fault{Redirect: "https://paistrike.example.com/login"})),
		"Error: Token not created ... PS100: Nothing was created. WHERE",
	},
	"connections cut": {
		always(creating(sandbox.Fault{Lose: sandbox.LoseRequest})),
		"Error: It is unknown whether a token was created ... PS104: PAIStrike did not respond to the request to create ... and lists no such token. WHERE",
	},
	"replies lost": {
		always(creating(sandbox.Fault{Lose: sandbox.LoseResponse})),
		"Error: Responses with new tokens keep getting lost ... PS110: PAIStrike created 3 tokens, but the responses with their secrets were lost. All of them were revoked. WHERE",
	},
	"garbage instead of the secret": {
		always(creating(sandbox.Fault{Status: 201, After: true, Body: `{"id":"tok_1"}`})),
		"Error: PAIStrike's response with a new token cannot be read ... PS109: PAIStrike accepted the request to create ... but its response cannot be used. The token was revoked. WHERE",
	},
	"half of the answer": {
		always(creating(sandbox.Fault{Truncate: true})),
		"Error: PAIStrike's response with a new token cannot be read ... PS109: PAIStrike accepted the request to create ... but its response cannot be used. The token was revoked. WHERE",
	},
	"a secret that is refused": {
		sandbox.Fault{Method: "GET", Path: "/api-tokens/self", Status: 401, Count: 5}, // each attempt of the new token
		"Error: PAIStrike refused the new token ... PS401: PAIStrike did not accept token tok_... in 5 attempts, so it was not published. It was revoked. WHERE Run again.",
	},
}

// A failed create leaves nothing behind, however often it fails, and the next apply works
// as if it had never happened.
func TestCreateFailsAtPAIStrike(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	var acts []act
	for _, name := range slices.Sorted(maps.Keys(mintFailures)) {
		acts = append(acts, act{
			before: func() {
				t.Log(name)
				s.wantLive(0)
				s.paistrike.ClearFaults()
				s.paistrike.AddFaults(mintFailures[name].fault)
			},
			config: standard,
			fails:  edit(mintFailures[name].says, "WHERE", "Nothing was written to secret/ci/paistrike."),
		})
	}
	s.play(append(acts, act{
		before: func() {
			s.paistrike.ClearFaults()
			s.wantLive(0)
			s.wantCalls(s.vaultCalls(), "PUT", 0)
		},
		// No generation is used twice, including those of failed attempts.
		config: standard, plan: creates(), state: state(secretVersion(5), previous(0)),
	})...)
}

// A failed rotation changes nothing that a consumer sees.
func TestRotationFailsAtPAIStrike(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	var before location
	acts := []act{{config: standard, after: func() { before = s.entry(standardPath); s.advance(31 * day) }}}
	unchanged := func() {
		s.paistrike.ClearFaults()
		s.wantLive(1)
		if now := s.entry(standardPath); now.Version != 1 || now.text("token") != before.text("token") {
			t.Errorf("Vault serves version %d", now.Version)
		}
	}
	for _, name := range []string{"403", "500", "replies lost", "a secret that is refused"} {
		acts = append(acts, act{
			before: func() {
				t.Log(name)
				unchanged()
				fault := mintFailures[name].fault
				if fault.Count > 0 {
					fault.Count++ // the story's own consumer calls before the step and gets the first one
				}
				s.paistrike.AddFaults(fault)
			},
			config: standard,
			fails:  edit(mintFailures[name].says, "WHERE", "secret/ci/paistrike still serves token ..."),
		})
	}
	s.play(append(acts, act{before: unchanged, config: standard, plan: rotates("period"), state: state(attribute("token_name", startsWith("CI/CD Pipeline-ps1-")), previous(1))})...)
}

// rotateInSpiteOf rotates by a trigger once for each row. A single apply must be
// sufficient each time.
func (s *stage) rotateInSpiteOf(rows []string, breaks func(row string), after func(row string)) {
	acts := []act{{config: standard}}
	for i, row := range rows {
		acts = append(acts, act{
			before: func() { s.Log(row); breaks(row) },
			config: edit(standard, `overlap = "24h"`, fmt.Sprintf(`overlap = "24h", triggers = { row = %q }`, row)),
			plan:   rotates("triggers_changed"),
			state:  state(secretVersion(int64(i)+2), previous(i+1)),
			after:  func() { after(row) },
		})
	}
	s.play(acts...)
}

// A temporary failure is waited out or resolved, without a second apply.
func TestRotateInSpiteOfPAIStrike(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	rows := map[string]struct {
		fault  sandbox.Fault
		minted int
		pauses []time.Duration
	}{
		"429 with Retry-After": {
			creating(sandbox.Fault{Status: 429, Count: 2, Headers: map[string]string{"Retry-After": "7"}}), 1,
			[]time.Duration{7 * time.Second, 7 * time.Second},
		},
		"a connection cut before the work": {creating(sandbox.Fault{Lose: sandbox.LoseRequest}), 1, nil},
		"a connection cut after the work":  {creating(sandbox.Fault{Lose: sandbox.LoseResponse}), 2, nil},
		"500 before the work":              {creating(sandbox.Fault{Status: 500}), 1, nil},
		"500 after the work":               {creating(sandbox.Fault{Status: 500, After: true}), 2, nil},
		"a secret that works a moment later": {
			// The first refused request is that of the test's own consumer.
			sandbox.Fault{Method: "GET", Path: "/api-tokens/self", Status: 401, Count: 3}, 1,
			[]time.Duration{time.Second, 2 * time.Second},
		},
	}
	var minted int
	s.rotateInSpiteOf(slices.Sorted(maps.Keys(rows)),
		func(row string) {
			minted, s.pauses = s.minted(), nil
			s.paistrike.AddFaults(rows[row].fault)
		},
		func(row string) {
			if got := s.minted() - minted; got != rows[row].minted {
				t.Errorf("%s: %d tokens were minted, want %d", row, got, rows[row].minted)
			}
			// A pause is the rest of the time that PAIStrike requested.
			for i, pause := range s.pauses {
				s.pauses[i] = pause.Round(time.Second)
			}
			if want := rows[row].pauses; want != nil && !slices.Equal(s.pauses, want) {
				t.Errorf("%s: the pauses were %v, want %v", row, s.pauses, want)
			}
		})
}

// Without the list nothing is known, and nothing is done.
func TestListFails(t *testing.T) {
	onOneCLI(t)
	listing := func(f sandbox.Fault) sandbox.Fault {
		f.Method, f.Path = "GET", "/api-tokens"
		return always(f)
	}
	s := newStage(t)
	acts := []act{{config: standard, after: s.later(31 * day)}}
	for _, row := range []struct {
		fault sandbox.Fault
		says  string
	}{
		{sandbox.Fault{Status: 401}, "Error: PAIStrike refused the management token ... PS101: Nothing was created or changed."},
		{sandbox.Fault{Status: 403}, "Error: The management token may not list tokens ... PS102: Nothing was created or changed."},
		{sandbox.Fault{Status: 500}, "Error: Token list incomplete ... PS106: PAIStrike's list of tokens could not be read completely, so nothing was created, revoked or swept. Run again. If the error persists, compare api_routes.list with the server's API reference."},
		{sandbox.Fault{Truncate: true}, "Error: Token list incomplete ... PS106:"},
		{sandbox.Fault{Status: 200, Body: "<html>"}, "Error: Token list incomplete ... PS106:"},
		{sandbox.Fault{Status: 404}, "Error: Token list incomplete ... PS106:"},
	} {
		acts = append(acts, act{
			before: func() { s.paistrike.ClearFaults(); s.paistrike.AddFaults(listing(row.fault)) },
			config: standard, fails: row.says,
		})
	}
	s.play(append(acts, act{
		before: func() { s.paistrike.ClearFaults(); s.wantLive(1) }, config: standard,
		plan: rotates("period"), state: state(secretVersion(2), previous(1)),
	})...)
}

// An old token that cannot be revoked stays in the list until it can be.
func TestRevokeFails(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	person.apply()
	s.advance(25 * time.Hour)
	s.paistrike.AddFaults(always(sandbox.Fault{Method: "DELETE", Status: 500}))
	s.wantSays(person.apply(), "Warning: Old token not revoked yet ... PS501: Token tok_... should be revoked but is still active")
	s.wantLive(2)
	s.wantSays(person.run("plan"), "previous_tokens")
	s.paistrike.ClearFaults()
	person.apply()
	s.wantLive(1)
	s.wantSays(person.apply(), "No changes.")
}

// If the response to a create came too late, the next run finds the token and revokes it.
func TestLateCreateIsSwept(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.advance(31 * day)
				s.paistrike.AddFaults(creating(sandbox.Fault{Hold: true, Lose: sandbox.LoseResponse, Count: 1}))
			},
			config: standard, plan: rotates("period"), state: state(secretVersion(2), previous(1)),
			after: func() { s.paistrike.Release(); s.wantLive(3) },
		},
		act{
			config: standard, plan: retires(), state: state(secretVersion(2), previous(1)),
			after: func() { s.wantLive(2) },
		},
	)
}
