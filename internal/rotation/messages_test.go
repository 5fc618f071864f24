package rotation

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// canary is a secret that no message may show.
const canary = "pstk_canary_0123456789"

// said is one message as its reader sees it, with the function that words it.
type said struct {
	by  string
	got any // an error or a Message
}

// text returns a message as one line.
func (s said) text() string {
	if m, ok := s.got.(Message); ok {
		return m.Code + ": " + m.Summary + ": " + m.Detail
	}
	return fmt.Sprint(s.got)
}

// message returns the message without its cause.
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

// everyMessage words every message once. They are about generation 3 of
// secret/ci/paistrike, which serves tok_3, and about tok_4, which was minted on top of it.
func everyMessage() []said {
	o := seen(func(o *observation) { o.record().Secret = secret.New(canary) })
	o.record().TokenName = "CI-3"
	first := observation{Sight: Sight{At: home}}
	token := paistrike.Token{ID: "tok_4", Name: "CI-4", CreatedAt: today, ExpiresAt: today.Add(90 * schedule.Day), LastUsedAt: today.Add(time.Hour)}
	minted := mint{Minted: paistrike.Minted{Token: token, Secret: secret.New(canary)}}
	boom := errors.New("boom")
	return slices.Concat(mintMessages(o, first), publishMessages(o, first, minted, boom), storeMessages(o), []said{
		{"verifyFailed", verifyFailed(o, token, 5, nil, boom)},
		{"verifyFailed", verifyFailed(o, token, 5, boom, boom)},
		{"windowsMissed", windowsMissed(o, schedule.Verdict{MissedWindows: 3})},
		{"otherExpiry", otherExpiry(today, time.Time{})},
		{"revokedElsewhere", revokedElsewhere(o)},

		{"revokeFailed", revokeFailed("tok_2", "CI-2", today, boom)},
		{"usedLate", usedLate(token, home)},
		{"heldBack", heldBack(token, today)},
		{"retiringFull", retiringFull(seen(retiringTokens(16)))},
		{"previousEnded", previousEnded("tok_2", "CI-2", today)},
		{"previousStillWorks", previousStillWorks("tok_2", "CI-2", boom)},

		{"destroyIncomplete", destroyIncomplete(home, []string{"tok_2", "tok_3"}, boom)},
		{"destroyUndecided", destroyUndecided(o, 4, boom)},
		{"deleteFailed", deleteFailed(home, boom)},
		{"leftAlone", leftAlone(o)},
		{"leftAlone", leftAlone(first)},
		{"tokenLeftAlone", tokenLeftAlone("tok_9", "hand-made")},
		{"placeGone", placeGone(home)},
		{"ownToken", ownToken(home, "tok_3")},
		{"notRevoked", notRevoked(home, []entry.Retiring{{ID: "tok_2"}, {ID: "tok_3"}})},
		{"abandonIncomplete", abandonIncomplete(home, boom)},
	})
}

func mintMessages(o, first observation) []said {
	lost := func(id string, revoked bool) paistrike.LostError {
		return paistrike.LostError{Name: "CI-4", ID: id, Revoked: revoked, MayExist: !revoked, Err: errors.New("cut")}
	}
	return []said{
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(500, ""))},
		{"mintFailed", mintFailed(first, "CI-1", refusedBy(422, ""))},
		{"mintFailed", mintFailed(seen(broken(entry.Deleted)), "CI-4", refusedBy(500, ""))},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(401, ""))},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(403, "minting_not_allowed"))},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(403, "limit_reached"))},
		{"mintFailed", mintFailed(o, "CI-4", refusedBy(429, ""))},
		{"createLost", createLost("tok_4", "CI-4")},
		{"createUnknown", createUnknown(o, lost("", false), today)},
		{"createUnknown", createUnknown(o, lost("tok_4", false), today)},
		{"createUnreadable", createUnreadable(o, lost("tok_4", true))},
		{"createUnreadable", createUnreadable(o, lost("tok_4", false))},
		{"createUnreadable", createUnreadable(o, lost("", false))},
		{"createForeign", createForeign(o, "tok_1", "CI-4", "tok_4", nil)},
		{"createForeign", createForeign(o, "tok_1", "CI-4", "tok_4", errors.New("boom"))},
		{"createForeign", createForeign(o, "tok_1", "CI-4", "", nil)},
		{"createsLost", createsLost(o, 3, errors.New("cut"))},
		{"listFailed", listFailed(refusedBy(401, ""))},
		{"listFailed", listFailed(refusedBy(403, ""))},
		{"listFailed", listFailed(&paistrike.ConnectionError{Op: "listing the tokens", Host: "paistrike.example.com", Err: errors.New("no such host")})},
		{"listFailed", listFailed(errors.New("cut"))},
		{"otherAccount", otherAccount(o)},
		{"leftBehind", leftBehind(o)},
	}
}

func publishMessages(o, first observation, minted mint, boom error) []said {
	return []said{
		{"lostRace", lostRace(o, "tok_4")},
		{"publishUndecided", publishUndecided(o, &minted, 4, boom)},
		{"publishUndecided", publishUndecided(o, nil, 4, boom)},
		{"rolledBack", rolledBack(o)},
		{"historyReset", historyReset(first, 2)},
		{"foreignEntry", foreignEntry(home, errors.New("no record"))},
		{"copiedEntry", copiedEntry(home, "staging.example.com:8200", "vault.example.com:8200")},
		{"otherOwner", otherOwner(home, *o.record(), "CD")},
		{"otherOwner", otherOwner(home, *o.record(), "CI-3")},
		{"tookOver", tookOver(home, *o.record())},
		{"takesOver", takesOver(home, *o.record())},
		{"strangersAtWork", strangersAtWork([]paistrike.Token{tokenFor("CI", 8)})},
		{"publishRefused", publishRefused(o, minted, 4, nil, &entry.Failure{Code: "PS302", Summary: "Refused", Advice: "Extend the policy.", Err: boom})},
		{"publishRefused", publishRefused(first, minted, 1, boom, boom)},
		{"unvouched", unvouched(home)},
		{"newerRelease", newerRelease(home, errors.New("schema 2"))},
		{"noProgress", noProgress(home)},
	}
}

func storeMessages(o observation) []said {
	apart := func(d time.Duration) schedule.Clock {
		return schedule.Clock{PAIStrike: today.Add(d), Store: today, Machine: today}
	}
	return []said{
		{"storeFailed", storeFailed(home, errors.New("boom"))},
		{"versionsExpire", versionsExpire(home, 36*time.Hour)},
		{"versionWillExpire", versionWillExpire(home, 3, today)},
		{"mirrorFailed", mirrorFailed(home, 3, errors.New("boom"))},
		{"skewed", skewed(apart(14 * time.Minute))},
		{"skewed", skewed(apart(-16 * time.Minute))},
		{"skewed", skewed(schedule.Clock{Machine: today, Store: today.Add(time.Hour)})},
		{"timeless", timeless()},
		{"badSchedule", badSchedule(home, &schedule.PolicyError{Setting: "rotation.overlap", Problem: "is odd"})},
		{"badMirror", badMirror(home, &entry.MirrorError{Key: "paistrike_created_at"})},
		{"clocksDisagree", clocksDisagree(seen(func(o *observation) { o.Clock = apart(time.Hour) }))},
	}
}

const messagesFile = "testdata/messages.golden"

// TestEveryMessage compares every text with the golden file.
func TestEveryMessage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, s := range everyMessage() {
		fmt.Fprintf(&b, "## %s\n%s\n", s.by, s.text())
	}
	if *updateMessages {
		if err := os.WriteFile(messagesFile, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(messagesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(golden), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("go test -run TestEveryMessage -update-messages writes the file anew (-want +got):\n%s", diff)
	}
}

var updateMessages = flag.Bool("update-messages", false, "write the golden file of messages anew")

// The failure of a store keeps its code and adds a sentence about what is true now.
func TestStoreFailureSaysWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	err := storeFailed(home, fmt.Errorf("looking: %w", &entry.Failure{Code: "PS303", Summary: "Vault mount is not KV version 2", Facts: "secret/ is KV version 1.", Advice: "Choose another mount.", Err: boom}))
	const want = "PS303: Vault mount is not KV version 2: secret/ is KV version 1. Nothing was created or changed at secret/ci/paistrike. Choose another mount. (boom)"
	if worded, ok := errors.AsType[*Error](err); !ok || err.Error() != want || !worded.OfStore() || !errors.Is(err, boom) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if again := storeFailed(home, err); !errors.Is(again, err) {
		t.Errorf("worded twice: %v", again)
	}
}

// The message about a failed list depends on the cause.
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
