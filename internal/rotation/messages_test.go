package rotation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// canary is a secret that no message may show.
const canary = "pstk_canary_0123456789"

// said is one message as its reader sees it, with the act that words it.
type said struct {
	by   string
	got  any // an error or a Message
	want string
}

// text is a message in one line.
func (s said) text() string {
	if m, ok := s.got.(Message); ok {
		return m.Code + ": " + m.Summary + ": " + m.Detail
	}
	return fmt.Sprint(s.got)
}

// message is the message without its cause.
func (s said) message() Message {
	var failure *Error
	if err, ok := s.got.(error); ok && errors.As(err, &failure) {
		return failure.Message
	}
	m, _ := s.got.(Message)
	return m
}

func refusedBy(status int, code string) error {
	return &paistrike.APIError{Op: "creating a token", Method: "POST", Path: "/api/v1/api-tokens", Status: status, Code: code}
}

func vaultSays(status int) error {
	return &vault.Error{Op: "writing", Path: "secret/data/ci/paistrike", Status: status, Reasons: []string{"its own words"}}
}

// everyMessage words every message once, about version 3 of secret/ci/paistrike
// that serves tok_3, and tok_4 that was minted on top of it.
func everyMessage() []said {
	o := seen(func(o *observation) { o.entry.Record.Secret = secret.New(canary) })
	o.entry.Record.TokenName = "CI-3"
	first, other := observation{at: home}, seen(foreign)
	minted := paistrike.Token{ID: "tok_4", Name: "CI-4", CreatedAt: today, ExpiresAt: today.Add(90 * schedule.Day), LastUsedAt: today.Add(time.Hour)}
	boom := errors.New("boom")
	apart := func(d time.Duration) schedule.Clock { return schedule.Clock{PAIStrike: today, Vault: today.Add(d)} }
	return slices.Concat(mintMessages(o, first), publishMessages(o, first, other, minted, boom), vaultMessages(apart), []said{
		{"verifyFailed", verifyFailed(o, minted, 5, nil, boom), "PS401: New token was refused by PAIStrike: Token tok_4 (CI-4) was not accepted in 5 attempts, so it was not published. It was revoked. Version 3 of secret/ci/paistrike still serves token tok_3. Run again. (boom)"},
		{"verifyFailed", verifyFailed(o, minted, 5, boom, boom), "PS401: New token was refused by PAIStrike: Token tok_4 (CI-4) was not accepted in 5 attempts, so it was not published. Revoking it failed too, so it is still active and the next run sweeps it. Version 3 of secret/ci/paistrike still serves token tok_3. Run again. (boom)"},
		{"windowsMissed", windowsMissed(o, schedule.Verdict{MissedWindows: 3}), "PS402: Rotation windows were missed: Windows of the schedule of secret/ci/paistrike that passed without a rotation: 3. Token tok_3 (CI-3) is replaced now, because it expires at 2026-04-05T09:00:00Z."},
		{"otherExpiry", otherExpiry(today, time.Time{}), "PS403: PAIStrike granted another expiry: Asked for 2026-01-06T09:00:00Z, the token expires: never. What PAIStrike granted is what counts."},
		{"revokedElsewhere", revokedElsewhere(o), `PS404: Token was revoked outside Terraform: Token tok_3 (CI-3) no longer works, and rotation.on_revoked = "error" forbids to replace it. Consumers of secret/ci/paistrike are without a working token. Set on_revoked = "rotate", or change rotation.triggers.`},

		{"revokeFailed", revokeFailed("tok_2", "CI-2", today, boom), "PS501: Old token not revoked yet: Token tok_2 (CI-2) is due to be revoked but still active (boom). The next run tries again; it expires: 2026-01-06T09:00:00Z."},
		{"usedLate", usedLate(minted, home), "PS502: Revoked token was still in use: Token tok_4 (CI-4) was last used at 2026-01-06T10:00:00Z, at the end of its overlap. A consumer may not have fetched the new one from secret/ci/paistrike. Consider a longer rotation.overlap."},
		{"heldBack", heldBack(minted, today), "PS504: Replaced token is still in use: Token tok_4 (CI-4) was last used at 2026-01-06T10:00:00Z by a consumer that has not fetched the new one. Its overlap is over, and it is held until nobody uses it, at the latest until 2026-01-06T09:00:00Z."},
		{"retiringFull", retiringFull(seen(retiringTokens(16))), "PS503: Too many replaced tokens are still in their overlap: secret/ci/paistrike has 16 replaced tokens that still work. Nothing was created. Wait until an overlap is over, or shorten rotation.overlap."},

		{"destroyIncomplete", destroyIncomplete(home, []string{"tok_2", "tok_3"}, boom), "PS601: Destroy incomplete: Still active: tok_2, tok_3. secret/ci/paistrike no longer serves a token and nothing new can be published there. Run again. (boom)"},
		{"destroyUndecided", destroyUndecided(o, boom), "PS602: Destroy not started: Whether the closing version 4 of secret/ci/paistrike was written is undecided, so no token was revoked. Version 3 of secret/ci/paistrike still serves token tok_3. Run again once Vault answers. (boom)"},
		{"tombstoneNotMirrored", tombstoneNotMirrored(home, boom), "PS603: Destroy incomplete: All tokens of secret/ci/paistrike are revoked, but its custom metadata could not be updated, so its versions were not deleted. Run again. (boom)"},
		{"deleteFailed", deleteFailed(home, boom), `PS604: Destroy incomplete: All tokens of secret/ci/paistrike are revoked and its current version holds no secret, but its versions could not be deleted. Run again, or set vault.on_destroy = "keep". (boom)`},
		{"leftAlone", leftAlone(home, 3), "PS605: Vault entry left alone: Version 3 of secret/ci/paistrike does not belong to this resource (any more), so nothing was changed there."},
	})
}

func mintMessages(o, first observation) []said {
	const (
		asked   = " [POST /api/v1/api-tokens])"
		serves3 = "Nothing was created. Version 3 of secret/ci/paistrike still serves token tok_3. "
	)
	return []said{
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(500, "")), `PS100: Token not created: ` + serves3 + `The refused name was "CI-4". (creating a token: PAIStrike answered 500 Internal Server Error` + asked},
		{"mintFailed", mintFailed(first, "CI-1", refusedBy(422, "")), `PS100: Token not created: Nothing was created. Nothing was written to secret/ci/paistrike. The refused name was "CI-1". (creating a token: PAIStrike answered 422 Unprocessable Entity` + asked},
		{"mintFailed", mintFailed(seen(broken(entry.Deleted)), "CI-4", refusedBy(500, "")), `PS100: Token not created: Nothing was created. secret/ci/paistrike is unchanged at version 3. The refused name was "CI-4". (creating a token: PAIStrike answered 500 Internal Server Error` + asked},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(401, "")), "PS101: PAIStrike refused the management token: " + serves3 + "Check that it is active and not expired: api_token (PAISTRIKE_API_TOKEN), or the entry at broker_path in a workflow. (creating a token: PAIStrike answered 401 Unauthorized" + asked},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(403, "minting_not_allowed")), "PS102: The management token may not create tokens: " + serves3 + "Use a token whose user may create API tokens: in api_token (PAISTRIKE_API_TOKEN), or in the entry at broker_path in a workflow. (creating a token: PAIStrike answered 403 Forbidden (minting_not_allowed)" + asked},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(403, "limit_reached")), "PS105: PAIStrike refused a new token because the account's limit is reached: " + serves3 + "Revoke tokens that are no longer needed in PAIStrike under Profile Settings, API Tokens, then run again. (creating a token: PAIStrike answered 403 Forbidden (limit_reached)" + asked},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(429, "")), "PS107: PAIStrike kept answering 429: " + serves3 + "Wait for the limit to clear, or do less at once: -parallelism, or concurrency in a workflow. (creating a token: PAIStrike answered 429 Too Many Requests" + asked},
		{"createLost", createLost("tok_4", "CI-4"), "PS103: Reply to a create was lost: PAIStrike had created token tok_4 (CI-4), whose secret was lost with the reply. It was revoked."},
		{"createUnknown", createUnknown(o, "CI-4", today, errors.New("cut")), `PS104: It is unknown whether a token was created: The create of "CI-4" was not answered and no such token is listed. Version 3 of secret/ci/paistrike still serves token tok_3. If it appears later it is revoked by the next run that writes version 4; it expires: 2026-01-06T09:00:00Z. Run again. (cut)`},
		{"createUnreadable", createUnreadable(o, "CI-4", true, errors.New("cut")), `PS109: PAIStrike's answer to a create cannot be read: PAIStrike answered the create of "CI-4" with success, but its answer has no id and secret that can be read. The token was revoked. Version 3 of secret/ci/paistrike still serves token tok_3. Compare the server's reference with api_routes. (cut)`},
		{"createUnreadable", createUnreadable(o, "CI-4", false, errors.New("cut")), `PS109: PAIStrike's answer to a create cannot be read: PAIStrike answered the create of "CI-4" with success, but its answer has no id and secret that can be read. No such token is listed; if one appears it is revoked by the next run that writes this entry. Version 3 of secret/ci/paistrike still serves token tok_3. Compare the server's reference with api_routes. (cut)`},
		{"createsLost", createsLost(o, 3, errors.New("cut")), "PS110: Replies to creates keep getting lost: 3 tokens were created whose secrets were lost with the replies, and each was revoked. Version 3 of secret/ci/paistrike still serves token tok_3. Check the network between here and PAIStrike, then run again. (cut)"},
		{"listFailed", listFailed(refusedBy(401, "")), "PS101: PAIStrike refused the management token: Nothing was created or changed. Check that it is active and not expired: api_token (PAISTRIKE_API_TOKEN), or the entry at broker_path in a workflow. (creating a token: PAIStrike answered 401 Unauthorized" + asked},
		{"listFailed", listFailed(refusedBy(403, "")), "PS102: The management token may not list tokens: Nothing was created or changed. Use a token whose user may manage API tokens: in api_token (PAISTRIKE_API_TOKEN), or in the entry at broker_path in a workflow. (creating a token: PAIStrike answered 403 Forbidden" + asked},
		{"listFailed", listFailed(&paistrike.ConnectionError{Op: "listing the tokens", Host: "paistrike.example.com", Err: errors.New("no such host")}), "PS108: PAIStrike cannot be reached: Nothing was created or changed. Check endpoint (PAISTRIKE_ENDPOINT) and the network. (listing the tokens: cannot reach paistrike.example.com: no such host)"},
		{"listFailed", listFailed(errors.New("cut")), "PS106: Token list incomplete: PAIStrike's list of tokens could not be read to its end, so nothing was created, revoked or swept. Run again. (cut)"},
	}
}

func publishMessages(o, first, other observation, minted paistrike.Token, boom error) []said {
	return []said{
		{"lostRace", lostRace(o, "tok_4"), "PS201: Another run was first: Another run published version 4 of secret/ci/paistrike. The token minted here (tok_4) was never published and was revoked."},
		{"publishUndecided", publishUndecided(o, minted, boom), "PS205: Token created, but it is undecided whether Vault holds it: Publishing token tok_4 (CI-4) as version 4 of secret/ci/paistrike was not confirmed. It was left active on purpose, because the write may still land: the next run adopts or revokes it. Version 3 of secret/ci/paistrike still serves token tok_3. Run again once Vault answers. (boom)"},
		{"publishUndecided", publishUndecided(o, paistrike.Token{}, boom), "PS205: It is undecided whether Vault holds a new version: Writing version 4 of secret/ci/paistrike, which brings no new token, was not confirmed and may still land. Version 3 of secret/ci/paistrike still serves token tok_3. Run again once Vault answers. (boom)"},
		{"rolledBack", rolledBack(o), "PS206: Vault version was not written by paistrike: Version 3 of secret/ci/paistrike was put there by a rollback, undelete or manual write. No token of it is revoked until the next rotation, which keeps every live one for a full overlap."},
		{"historyReset", historyReset(first, 2), "PS207: History of the Vault entry was removed: The versions of secret/ci/paistrike start anew. Tokens of its former history that still work: 2. Those that were in use keep working for an overlap; the others are revoked."},
		{"foreignEntry", foreignEntry(other), "PS208: Vault path is not managed by paistrike: secret/ci/paistrike holds a secret at version 3 that paistrike did not write. Nothing was created or written. Choose another path, or set vault.adopt = true to write the token on top of it (the older versions stay in Vault). (no record)"},
		{"otherOwner", otherOwner(o, "CD"), `PS209: Vault path holds the token of another integration: secret/ci/paistrike holds token tok_3 (CI-3) at version 3, and its name does not begin with "CD". Nothing was created or written. Give each integration a path of its own, or set vault.adopt = true to take this one over.`},
		{"publishRefused", publishRefused(o, minted, nil, boom), "PS210: Token created but not stored in Vault: Vault refused the write of version 4 of secret/ci/paistrike, so token tok_4 (CI-4) reached no consumer. It was revoked. Version 3 of secret/ci/paistrike still serves token tok_3. Give the Vault token create and update on secret/data/ci/paistrike. (boom)"},
		{"publishRefused", publishRefused(first, minted, boom, boom), "PS210: Token created but not stored in Vault: Vault refused the write of version 1 of secret/ci/paistrike, so token tok_4 (CI-4) reached no consumer. Revoking it was refused too, so it is still active and the next run sweeps it. Nothing was written to secret/ci/paistrike. Give the Vault token create and update on secret/data/ci/paistrike. (boom)"},
		{"newerRelease", newerRelease(seen(foreign)), "PS212: Vault entry was written by a newer release: Version 3 of secret/ci/paistrike cannot be understood by this release. Nothing was created or written. Upgrade to the release that wrote it, or to a later one. (no record)"},
		{"noProgress", noProgress(first), "PS211: Other runs kept publishing first: secret/ci/paistrike changed three times while this run worked, so this run published nothing there. What it minted, if anything, was revoked. Run again."},
	}
}

func vaultMessages(apart func(time.Duration) schedule.Clock) []said {
	const nothing = "Nothing was created or changed at secret/ci/paistrike. "
	const words = "(writing secret/data/ci/paistrike: Vault answered %d: its own words)"
	return []said{
		{"vaultFailed", vaultFailed(home, vaultSays(500)), "PS300: Vault refused a request: " + nothing + "Vault's own words say why. Run again once that is mended. " + fmt.Sprintf(words, 500)},
		{"vaultFailed", vaultFailed(home, &vault.Error{Op: "asking", Path: "sys/health", Status: 503, Sealed: true}), "PS301: Vault is sealed: " + nothing + "Unseal Vault, then run again. (asking sys/health: Vault answered 503 (sealed))"},
		{"vaultFailed", vaultFailed(home, errors.New("connection refused")), "PS301: Vault cannot be reached: " + nothing + "Check vault.address (VAULT_ADDR), or vault_address in a workflow, and the network. (connection refused)"},
		{"vaultFailed", vaultFailed(home, vaultSays(403)), "PS302: Vault token lacks a permission: " + nothing + "Extend its policy by the path in the message. " + fmt.Sprintf(words, 403)},
		{"lacksCapabilities", lacksCapabilities("secret/data/ci/paistrike", []string{"create", "update"}, []string{"read"}), "PS302: Vault token lacks a permission: The Vault token may not create, update secret/data/ci/paistrike (it has: read). Nothing was created. Extend its policy."},
		{"notVersioned", notVersioned(home), "PS303: Vault mount is not KV version 2: secret/ is no KV version 2 secrets engine, and check-and-set, on which safe rotation rests, needs version 2. Nothing was created. Choose another mount, or upgrade it with vault kv enable-versioning."},
		{"versionsExpire", versionsExpire(home, 36*time.Hour), "PS304: Vault would delete the live token: delete_version_after of secret/ci/paistrike is 36h, shorter than the token's life: Vault would delete the secret while the token is in use. Nothing was created. Raise or remove delete_version_after."},
		{"versionWillExpire", versionWillExpire(home, 3, today), "PS304: Vault will delete the live token: Version 3 of secret/ci/paistrike will be deleted by Vault at 2026-01-06T09:00:00Z because of delete_version_after, before its token expires. Raise or remove delete_version_after."},
		{"vaultFailed", vaultFailed(home, vaultSays(429)), "PS305: Vault kept answering 429: " + nothing + "Wait for the quota to clear, then run again. " + fmt.Sprintf(words, 429)},
		{"mirrorFailed", mirrorFailed(home, 3, errors.New("boom")), "PS306: Vault custom metadata not updated: The secret at version 3 of secret/ci/paistrike is right, but its custom metadata, which plans and schedulers read, is out of date (boom). The next run rebuilds it."},
		{"skewed", skewed(apart(14 * time.Minute)), "PS307: PAIStrike's and Vault's clocks differ: PAIStrike says 2026-01-06T09:00:00Z and Vault says 2026-01-06T09:14:00Z. Tokens are rotated by the later and revoked by the earlier clock."},
		{"skewed", skewed(apart(-16 * time.Minute)), "PS307: PAIStrike's and Vault's clocks disagree: PAIStrike says 2026-01-06T09:00:00Z and Vault says 2026-01-06T08:44:00Z. Nothing is revoked until they agree within 15 minutes; rotation goes on by PAIStrike's clock."},
		{"timeless", timeless(), "PS310: Neither server says what time it is: PAIStrike's answers carry no Date header, and Vault's sys/health cannot be read. Nothing was created or changed, because expiry and rotation are decided by the servers' time. Let the Vault token's network reach sys/health."},
		{"badSchedule", badSchedule(home, &schedule.PolicyError{Setting: "rotation.overlap", Problem: "is odd"}), "PS311: Schedule in Vault cannot be read: Custom metadata of secret/ci/paistrike does not say how the token is rotated. Nothing was created or written. Run terraform apply, which writes it anew from the configuration. (rotation.overlap: is odd)"},
		{"vaultTokenTooShort", vaultTokenTooShort(90 * time.Second), "PS308: Vault token expires too soon: The Vault token lives for another 1m30s only, and 3m are needed to replace a token safely. Nothing was created. Log in again."},
		{"vaultFailed", vaultFailed(home, &vault.LoginError{Method: "approle", Mount: "approle", Err: vaultSays(403)}), "PS309: Vault login failed: " + nothing + "Check the login: the vault block of the provider, or the inputs of the workflow. (logging in to Vault by approle at auth/approle: " + strings.Trim(fmt.Sprintf(words, 403), "()") + ")"},
	}
}

func TestEveryMessage(t *testing.T) {
	t.Parallel()
	for _, s := range everyMessage() {
		if got := s.text(); got != s.want {
			t.Errorf("%s says\n %s\nwant\n %s", s.by, got, s.want)
		}
	}
}

// A list that cannot be had is worded by what stood in the way.
func TestListFailureSaysWhatStoodInTheWay(t *testing.T) {
	t.Parallel()
	unknownHost := errors.New("no such host")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"refused token", &paistrike.APIError{Status: 401}, "PS101"},
		{"token without the right", &paistrike.APIError{Status: 403}, "PS102"},
		{"failing server", &paistrike.APIError{Status: 500}, "PS106"},
		{"no connection", &paistrike.ConnectionError{Host: "paistrike.example.com", Err: unknownHost}, "PS108"},
		{"connection lost on the way", &paistrike.ConnectionError{Host: "paistrike.example.com", Sent: true, Err: unknownHost}, "PS106"},
		{"answer that cannot be read", &paistrike.AnswerError{Status: 200}, "PS106"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var failure *Error
			if err := listFailed(test.err); !errors.As(err, &failure) || failure.Code != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
