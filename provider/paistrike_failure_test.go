package provider_test

import (
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// creating matches the call that mints.
func creating(f sandbox.Fault) sandbox.Fault {
	f.Method, f.Path = "POST", "/api-tokens"
	return f
}

func always(f sandbox.Fault) sandbox.Fault {
	f.Count = -1
	return f
}

// mintFailures are answers to a create after which there is no new token.
var mintFailures = map[string]struct {
	fault sandbox.Fault
	says  string // of the error, where WHERE is what Vault holds
}{
	"401": {
		always(creating(sandbox.Fault{Status: 401})),
		"Error: PAIStrike refused the management token ... PS101: Nothing was created. WHERE Check that api_token (PAISTRIKE_API_TOKEN) is active and not expired.",
	},
	"403": {
		always(creating(sandbox.Fault{Status: 403})),
		"Error: The management token may not create tokens ... PS102: Nothing was created. WHERE Use a token whose user may create API tokens in api_token (PAISTRIKE_API_TOKEN).",
	},
	"422": {
		always(creating(sandbox.Fault{Status: 422})),
		`Error: Token not created ... PS100: Nothing was created. WHERE The refused name was "CI/CD Pipeline-ps1-`,
	},
	"422 for the limit": {
		always(creating(sandbox.Fault{Status: 422, Body: `{"type":"about:blank","title":"Unprocessable","status":422,"code":"limit_reached"}`})),
		"Error: PAIStrike refused a new token because the account's limit is reached ... PS105: Nothing was created. WHERE Revoke tokens that are no longer needed in PAIStrike under Profile Settings, API Tokens, then run again.",
	},
	"429 for ever": {
		always(creating(sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "7"}})),
		"Error: PAIStrike kept answering 429 ... PS107: Nothing was created. WHERE Wait for the limit to clear, or run with a lower -parallelism.",
	},
	"500": {
		always(creating(sandbox.Fault{Status: 500})),
		"Error: It is unknown whether a token was created ... PS104: The create of ... was not answered and no such token is listed. WHERE If it appears later it is revoked by the next run that writes version",
	},
	"HTML": {
		always(creating(sandbox.Fault{Status: 200, Body: "<html><body>Sign in</body></html>"})),
		"Error: PAIStrike's answer to a create cannot be read ... PS109: PAIStrike answered the create of ... with success, but its answer has no id and secret that can be read. No such token is listed; if one appears it is revoked by the next run that writes this entry. WHERE Compare the server's reference with api_routes.",
	},
	"a redirect": {
		always(creating(sandbox.Fault{Redirect: "https://paistrike.example.com/login"})),
		"Error: Token not created ... PS100: Nothing was created. WHERE",
	},
	"connections cut": {
		always(creating(sandbox.Fault{Lose: sandbox.LoseRequest})),
		"Error: It is unknown whether a token was created ... PS104: The create of ... was not answered and no such token is listed. WHERE",
	},
	"replies lost": {
		always(creating(sandbox.Fault{Lose: sandbox.LoseResponse})),
		"Error: Replies to creates keep getting lost ... PS110: 3 tokens were created whose secrets were lost with the replies, and each was revoked. WHERE",
	},
	"garbage instead of the secret": {
		always(creating(sandbox.Fault{Status: 201, After: true, Body: `{"id":"tok_1"}`})),
		"Error: PAIStrike's answer to a create cannot be read ... PS109: PAIStrike answered the create of ... with success, but its answer has no id and secret that can be read. The token was revoked. WHERE",
	},
	"a secret that is refused": {
		always(sandbox.Fault{Method: "GET", Path: "/api-tokens/self", Status: 401}),
		"Error: New token was refused by PAIStrike ... PS401: Token tok_... was not accepted in 5 attempts, so it was not published. It was revoked. WHERE Run again.",
	},
}

// A create that fails leaves nothing behind, and the next apply is as if it had not
// been.
func TestCreateFailsAtPAIStrike(t *testing.T) {
	for name, c := range mintFailures {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(
				act{
					before: func() { s.paistrike.AddFaults(c.fault) }, config: standard,
					fails: edit(c.says, "WHERE", "Nothing was written to secret/ci/paistrike."),
				},
				act{
					before: func() {
						s.paistrike.ClearFaults()
						s.wantLive(0)
						s.wantCalls(s.vaultCalls(), "PUT", 0)
					},
					config: standard, plan: creates(), state: state(vaultVersion(1), previous(0)),
				},
			)
		})
	}
}

// A rotation that fails changes nothing that a consumer sees.
func TestRotationFailsAtPAIStrike(t *testing.T) {
	for _, name := range []string{"403", "500", "replies lost", "a secret that is refused"} {
		c := mintFailures[name]
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			var before entry
			s.play(
				act{config: standard, after: func() { before = s.entry(standardPath) }},
				act{
					before: func() { s.advance(31 * day); s.paistrike.AddFaults(c.fault) }, config: standard,
					fails: edit(c.says, "WHERE", "Version 1 of secret/ci/paistrike still serves token"+" ..."),
				},
				act{
					before: func() {
						s.paistrike.ClearFaults()
						s.wantLive(1)
						if now := s.entry(standardPath); now.Version != 1 || now.text("token") != before.text("token") {
							t.Errorf("Vault serves version %d", now.Version)
						}
					},
					config: standard, plan: rotates("period"), state: state(vaultVersion(2), previous(1)),
				},
			)
		})
	}
}

// What passes by itself is waited for, or resolved, and needs no second apply.
func TestCreateInSpiteOf(t *testing.T) {
	for name, c := range map[string]struct {
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
		"HTML in place of the answer":      {creating(sandbox.Fault{Status: 200, Body: "<html>", After: true}), 2, nil},
		"half of the answer":               {creating(sandbox.Fault{Truncate: true}), 2, nil},
		"a secret that works a moment later": {
			sandbox.Fault{Method: "GET", Path: "/api-tokens/self", Status: 401, Count: 2}, 1,
			[]time.Duration{time.Second, 2 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(act{
				before: func() { s.paistrike.AddFaults(c.fault) }, config: standard, plan: creates(), state: state(vaultVersion(1), previous(0)),
				after: func() {
					s.wantLive(1)
					if s.minted() != c.minted {
						t.Errorf("%d tokens were minted, want %d", s.minted(), c.minted)
					}
					for i, want := range c.pauses {
						if i >= len(s.pauses) || s.pauses[i] != want {
							t.Errorf("the pauses were %v, want %v", s.pauses, c.pauses)
							break
						}
					}
				},
			})
		})
	}
}

// Nothing is known without the list, and nothing is done.
func TestListFails(t *testing.T) {
	listing := func(f sandbox.Fault) sandbox.Fault {
		f.Method, f.Path = "GET", "/api-tokens"
		return always(f)
	}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		says  string
	}{
		"401":       {listing(sandbox.Fault{Status: 401}), "Error: PAIStrike refused the management token ... PS101: Nothing was created or changed."},
		"403":       {listing(sandbox.Fault{Status: 403}), "Error: The management token may not list tokens ... PS102: Nothing was created or changed."},
		"500":       {listing(sandbox.Fault{Status: 500}), "Error: Token list incomplete ... PS106: PAIStrike's list of tokens could not be read to its end, so nothing was created, revoked or swept. Run again."},
		"truncated": {listing(sandbox.Fault{Truncate: true}), "Error: Token list incomplete ... PS106:"},
		"HTML":      {listing(sandbox.Fault{Status: 200, Body: "<html>"}), "Error: Token list incomplete ... PS106:"},
		"404":       {listing(sandbox.Fault{Status: 404}), "Error: Token list incomplete ... PS106:"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.play(
				act{config: standard},
				act{before: func() { s.advance(31 * day); s.paistrike.AddFaults(c.fault) }, config: standard, fails: c.says},
				act{
					before: func() { s.paistrike.ClearFaults(); s.wantLive(1) }, config: standard,
					plan: rotates("period"), state: state(vaultVersion(2), previous(1)),
				},
			)
		})
	}
}

// An old token that cannot be revoked stays in the list until it can.
func TestRevokeFails(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	person.apply()
	s.advance(25 * time.Hour)
	s.paistrike.AddFaults(always(sandbox.Fault{Method: "DELETE", Status: 500}))
	s.wantSays(person.apply(), "Warning: Old token not revoked yet ... PS501: Token tok_... is due to be revoked but still active")
	s.wantLive(2)
	s.wantSays(person.run("plan"), "previous_tokens")
	s.paistrike.ClearFaults()
	person.apply()
	s.wantLive(1)
	s.wantSays(person.apply(), "No changes.")
}

// A token whose create was answered too late is found by the next run and revoked.
func TestLateCreateIsSwept(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.advance(31 * day)
				s.paistrike.AddFaults(creating(sandbox.Fault{Hold: true, Lose: sandbox.LoseResponse, Count: 1}))
			},
			config: standard, plan: rotates("period"), state: state(vaultVersion(2), previous(1)),
			after: func() { s.paistrike.Release(); s.wantLive(3) },
		},
		act{
			config: standard, plan: retires(), state: state(vaultVersion(2), previous(1)),
			after: func() { s.wantLive(2) },
		},
	)
}
