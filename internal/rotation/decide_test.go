package rotation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// The stories below start from one entry: version 3 serves token tok_3, which lasts 90
// days. It was created on January 5 for "CI", one day ago.
var (
	born  = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	today = born.Add(schedule.Day)
	home  = entry.Location{Mount: "secret", Path: "ci/paistrike", Key: "token"}
)

const (
	ourSlot = "k3v7q2m6xtab"
	ourInc  = "7h2k5q"
)

// tokenFor returns a token with the name of a given generation.
func tokenFor(label string, gen int) paistrike.Token {
	name := Name{Label: label, Slot: ourSlot, Inc: ourInc, Gen: gen, Nonce: fmt.Sprintf("w5c2m4%c%c", 'a'+gen/26, 'a'+gen%26)}
	return paistrike.Token{
		ID: fmt.Sprintf("tok_%d", gen), Name: name.String(), CreatedAt: born, ExpiresAt: born.Add(90 * schedule.Day), Status: paistrike.StatusActive,
	}
}

func policy() schedule.Policy {
	return schedule.Policy{Lifetime: 90 * schedule.Day, Period: 30 * schedule.Day, Overlap: schedule.Day}.WithDefaults()
}

// seen returns the entry as it was observed, with the changes of a story.
func seen(changes ...func(*observation)) observation {
	token := tokenFor("CI", 3)
	record := entry.Record{
		State: entry.StateActive, TokenID: token.ID, TokenName: token.Name, CreatedAt: token.CreatedAt, ExpiresAt: token.ExpiresAt,
		Slot: ourSlot, Inc: ourInc, Gen: 3, Base: "2", Op: "w5c2m4ac", Owner: "resource-1", Intent: asked().intent(), Key: "token",
		Endpoint: "https://paistrike.example.com/api/v1",
	}
	o := observation{
		Sight: Sight{
			At: home, Clock: clockAt(today), Tokens: []paistrike.Token{token},
			Glance: entry.Glance{Slots: []string{ourSlot}, Identity: "vault.example.com:8200", Revision: "3", Follows: "2", Condition: entry.Live, Managed: true},
		},
		kind: kindOurs, current: token,
		version: entry.Version{Revision: "3", Follows: "2", Condition: entry.Live, Record: &record},
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// clockAt returns a clock on which all three sources agree.
func clockAt(t time.Time) schedule.Clock { return schedule.Clock{PAIStrike: t, Store: t, Machine: t} }

// asked returns the request that matches the entry, with the changes of a story.
func asked(changes ...func(*Request)) Request {
	r := Request{At: home, Label: "CI", Policy: policy(), Owner: "resource-1", Triggers: "v1", Wish: IfDue}
	for _, change := range changes {
		change(&r)
	}
	return r
}

func rotateFor(reason schedule.Reason, replaces string) func(*Request) {
	return func(r *Request) { r.Wish, r.Reason, r.Replaces = Rotate, reason, replaces }
}

func onRevoked(what schedule.OnRevoked) func(*Request) {
	return func(r *Request) { r.Policy.OnRevoked = what }
}

func after(d time.Duration) func(*observation) {
	return func(o *observation) { o.Clock = clockAt(born.Add(d)) }
}

func revoked(o *observation) { o.current.Status = paistrike.StatusRevoked }

// rolledBackByHand makes the current version one that contains an earlier run's record.
func rolledBackByHand(o *observation) { o.version.Revision, o.version.Follows = "5", "4" }

func vacant(o *observation) {
	o.kind, o.version, o.current, o.Tokens = kindVacant, entry.Version{Condition: entry.Absent}, paistrike.Token{}, nil
	o.Revision, o.Follows, o.Condition = "", "", entry.Absent
}

func broken(condition entry.Condition) func(*observation) {
	return func(o *observation) {
		o.kind, o.current = kindBroken, paistrike.Token{}
		o.version.Record, o.version.Condition = nil, condition
	}
}

func foreign(o *observation) {
	broken(entry.Live)(o)
	o.kind, o.version.Problem = kindForeign, errors.New("no record")
}

// stored makes a request use the policy of the entry.
func stored(r *Request) { r.Stored = true }

// mirrored adds metadata that names the entry's token.
func mirrored(o *observation) {
	token := tokenFor("CI", 3)
	o.Mirror = entry.Mirror{State: entry.StateActive, TokenID: token.ID, TokenName: token.Name}
}

// also adds another token of the entry's slot.
func also(token paistrike.Token) func(*observation) {
	return func(o *observation) { o.Tokens = append(o.Tokens, token) }
}

// usedBy returns a token that a consumer uses.
func usedBy(token paistrike.Token) paistrike.Token {
	token.LastUsedAt = token.CreatedAt.Add(time.Hour)
	return token
}

// untold returns a token whose last use the service does not report.
func untold(token paistrike.Token) paistrike.Token {
	token.Untold |= paistrike.LastUsed
	return token
}

func retiringTokens(count int) func(*observation) {
	return func(o *observation) {
		for i := range count {
			o.retiring = append(o.retiring, entry.Retiring{ID: fmt.Sprintf("old_%d", i), RevokeAfter: today.Add(time.Hour)})
		}
		o.version.Record.Retiring = o.retiring
	}
}

// outcome is the part of a decision that a story compares.
type outcome struct {
	Rotate    bool
	Reason    schedule.Reason
	Republish bool
	Err       string   // a code
	After     string   // the code of an error that the run ends with
	Notes     []string // codes
}

func outcomeOf(d decision) outcome {
	out := outcome{Rotate: d.rotate, Reason: d.reason, Republish: d.republish}
	var failure *Error
	if errors.As(d.err, &failure) {
		out.Err = failure.Code
	}
	if errors.As(d.after, &failure) {
		out.After = failure.Code
	}
	for _, note := range d.notes {
		out.Notes = append(out.Notes, note.Code)
	}
	return out
}

// story is an observation and a request with the expected decision.
type story struct {
	name string
	o    observation
	r    Request
	want outcome
}

func tell(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(s.want, outcomeOf(decide(s.o, s.r))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A scheduled run acts on what it finds.
func TestDecideIfDue(t *testing.T) {
	t.Parallel()
	tell(t, []story{
		{"nothing to do", seen(), asked(), outcome{}},
		{"the period is over", seen(after(30 * schedule.Day)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"expired", seen(after(90 * schedule.Day)), asked(), outcome{Rotate: true, Reason: schedule.ReasonExpired}},
		{"revoked elsewhere", seen(revoked), asked(), outcome{Rotate: true, Reason: schedule.ReasonRevoked}},
		{"revoked elsewhere, to be ignored", seen(revoked), asked(onRevoked(schedule.OnRevokedIgnore)), outcome{}},
		{"revoked elsewhere, an error", seen(revoked), asked(onRevoked(schedule.OnRevokedError)), outcome{Reason: schedule.ReasonNone, Err: "PS404"}},
		{"the version was deleted", seen(broken(entry.Deleted)), asked(), outcome{Rotate: true, Reason: schedule.ReasonDeleted}},
		{"the version was destroyed", seen(broken(entry.Destroyed)), asked(), outcome{Rotate: true, Reason: schedule.ReasonDeleted}},
		{"the version was overwritten", seen(broken(entry.Live)), asked(), outcome{Rotate: true, Reason: schedule.ReasonChanged}},
		{"nothing there: not for a schedule to begin", seen(vacant), asked(), outcome{Reason: schedule.ReasonGone}},
		{"nothing there: not for whoever forced a rotation before it was closed", seen(vacant), asked(rotateFor(schedule.ReasonForced, ""), stored), outcome{Reason: schedule.ReasonGone}},
		{"the version was deleted, and PAIStrike knows whose it was", seen(broken(entry.Deleted), mirrored), asked(stored), outcome{Rotate: true, Reason: schedule.ReasonDeleted}},
		{"the version was deleted, and metadata names another token", seen(broken(entry.Deleted), mirrored, func(o *observation) { o.Mirror.TokenID = "tok_9" }), asked(stored), outcome{Rotate: true, Reason: schedule.ReasonDeleted, Err: "PS216"}},
		{"the version was deleted, and metadata names a token that does not work", seen(broken(entry.Deleted), mirrored, func(o *observation) { o.Tokens[0].Status = paistrike.StatusRevoked }), asked(rotateFor(schedule.ReasonForced, ""), stored), outcome{Rotate: true, Reason: schedule.ReasonForced, Err: "PS216"}},
		{"someone else's secret", seen(foreign), asked(), outcome{Err: "PS208"}},
		{"someone else's secret, adopted", seen(foreign), asked(func(r *Request) { r.Adopt = true }), outcome{Rotate: true, Reason: schedule.ReasonChanged}},
		{"put back by hand", seen(rolledBackByHand), asked(), outcome{Notes: []string{"PS206"}}},
		{"put back by hand, and due", seen(rolledBackByHand, after(30*schedule.Day)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod, Notes: []string{"PS206"}}},
		{"minted for a later generation, and nobody uses it: it may be in flight", seen(also(tokenFor("CI", 8))), asked(), outcome{}},
		{"the store was set back: a token is in use that it never published", seen(also(usedBy(tokenFor("CI", 8)))), asked(), outcome{After: "PS215"}},
		{"the store was set back, and due by the period", seen(after(30*schedule.Day), also(usedBy(tokenFor("CI", 8)))), asked(), outcome{Reason: schedule.ReasonPeriod, After: "PS215"}},
		{"the store was set back, and the token ends soon", seen(after(70*schedule.Day), also(usedBy(tokenFor("CI", 8)))), asked(), outcome{Rotate: true, Reason: schedule.ReasonBefore, After: "PS215"}},
		{"the store was set back, and the token is dead", seen(revoked, also(usedBy(tokenFor("CI", 8)))), asked(), outcome{Rotate: true, Reason: schedule.ReasonRevoked, After: "PS215"}},
		{"the store was set back, adopted", seen(after(30*schedule.Day), also(usedBy(tokenFor("CI", 8)))), asked(func(r *Request) { r.Adopt = true }), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"not told whether it is used: no rule rests on it", seen(also(untold(tokenFor("CI", 8)))), asked(), outcome{}},
		{
			"15 in their overlap", seen(after(30*schedule.Day), retiringTokens(15)), asked(),
			outcome{Rotate: true, Reason: schedule.ReasonPeriod},
		},
		{
			"16 in their overlap", seen(after(30*schedule.Day), retiringTokens(16)), asked(),
			outcome{Rotate: true, Reason: schedule.ReasonPeriod, Err: "PS503"},
		},
		{"16 in their overlap, and the token is dead", seen(revoked, retiringTokens(16)), asked(), outcome{Rotate: true, Reason: schedule.ReasonRevoked}},
		{"16 in their overlap, and the token ends soon", seen(after(61*schedule.Day), retiringTokens(16)), asked(), outcome{Rotate: true, Reason: schedule.ReasonBefore}},
		{"16 in their overlap, and nothing to do", seen(retiringTokens(16)), asked(), outcome{}},
	})
}

// The median of the three clocks decides, so one wrong clock changes nothing.
func TestDecideByTheClocks(t *testing.T) {
	t.Parallel()
	due, early := born.Add(30*schedule.Day), born.Add(30*schedule.Day-time.Minute)
	by := func(c schedule.Clock) func(*observation) { return func(o *observation) { o.Clock = c } }
	rotates, no := outcome{Rotate: true, Reason: schedule.ReasonPeriod}, outcome{}
	warned := func(out outcome) outcome {
		out.Notes = []string{"PS307"}
		return out
	}
	year := 365 * schedule.Day
	tell(t, []story{
		{"all agree", seen(by(clockAt(due))), asked(), rotates},
		{"two a minute early", seen(by(schedule.Clock{PAIStrike: early, Store: early, Machine: due})), asked(), no},
		{"two that are due", seen(by(schedule.Clock{PAIStrike: early, Store: due, Machine: due})), asked(), rotates},
		{"PAIStrike a year ahead", seen(by(schedule.Clock{PAIStrike: early.Add(year), Store: early, Machine: early})), asked(), warned(no)},
		{"PAIStrike a year ahead, and due by the others", seen(by(schedule.Clock{PAIStrike: due.Add(year), Store: due, Machine: due})), asked(), warned(outcome{Reason: schedule.ReasonPeriod, After: "PS316"})},
		{"PAIStrike a year ahead, and the token is dead", seen(revoked, by(schedule.Clock{PAIStrike: due.Add(year), Store: due, Machine: due})), asked(), warned(outcome{Rotate: true, Reason: schedule.ReasonRevoked})},
		{"PAIStrike a year ahead, and someone asks for it", seen(by(schedule.Clock{PAIStrike: due.Add(year), Store: due, Machine: due})), asked(rotateFor(schedule.ReasonForced, "")), warned(outcome{Rotate: true, Reason: schedule.ReasonForced})},
		{"the store a year ahead", seen(by(schedule.Clock{PAIStrike: early, Store: early.Add(year), Machine: early})), asked(), warned(no)},
		{"this machine a year ahead", seen(by(schedule.Clock{PAIStrike: early, Store: early, Machine: early.Add(year)})), asked(), no},
		{"the store a year behind", seen(by(schedule.Clock{PAIStrike: due, Store: due.Add(-year), Machine: due})), asked(), warned(rotates)},
		{"two witnesses: the later rotates", seen(by(schedule.Clock{PAIStrike: early, Machine: due})), asked(), rotates},
		{"the servers 61 s apart", seen(by(schedule.Clock{PAIStrike: due, Store: due.Add(61 * time.Second), Machine: due})), asked(), warned(rotates)},
		{"this machine 61 s apart", seen(by(schedule.Clock{PAIStrike: due, Store: due, Machine: due.Add(61 * time.Second)})), asked(), rotates},
		{"the warning comes with a refusal too", seen(by(schedule.Clock{PAIStrike: born, Store: born.Add(time.Hour), Machine: born}), foreign), asked(), outcome{Err: "PS208", Notes: []string{"PS307"}}},
	})
}

// A plan may be old when it is applied.
func TestDecideARotationThatWasPlanned(t *testing.T) {
	t.Parallel()
	otherIntent := func(o *observation) { o.version.Record.Intent = "aaaaaaaa" }
	otherOwner := func(o *observation) { o.version.Record.Owner = "resource-2" }
	stories := []story{
		{"there was none", seen(vacant), asked(rotateFor(schedule.ReasonCreated, "")), outcome{Rotate: true, Reason: schedule.ReasonCreated}},
		{"forced", seen(), asked(rotateFor(schedule.ReasonForced, "")), outcome{Rotate: true, Reason: schedule.ReasonForced}},
		{"by the period", seen(after(30 * schedule.Day)), asked(rotateFor(schedule.ReasonPeriod, "tok_3")), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"by the window, which has closed meanwhile", seen(), asked(rotateFor(schedule.ReasonSchedule, "tok_3")), outcome{Rotate: true, Reason: schedule.ReasonSchedule}},
		{"by the period, settled by another run", seen(), asked(rotateFor(schedule.ReasonPeriod, "tok_2")), outcome{Reason: schedule.ReasonPeriod}},
		{"by before_expiry, settled by another run", seen(), asked(rotateFor(schedule.ReasonBefore, "tok_2")), outcome{Reason: schedule.ReasonBefore}},
		{"by the period, another run's token is due too", seen(after(30 * schedule.Day)), asked(rotateFor(schedule.ReasonPeriod, "tok_2")), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"by the period, the entry is gone meanwhile", seen(vacant), asked(rotateFor(schedule.ReasonPeriod, "tok_3")), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"expired, settled by another run", seen(), asked(rotateFor(schedule.ReasonExpired, "tok_2")), outcome{Reason: schedule.ReasonExpired}},
		{"revoked, seen again", seen(revoked), asked(rotateFor(schedule.ReasonRevoked, "tok_3")), outcome{Rotate: true, Reason: schedule.ReasonRevoked}},
		{"deleted in Vault, settled by another run", seen(), asked(rotateFor(schedule.ReasonDeleted, "tok_2")), outcome{Reason: schedule.ReasonDeleted}},
		{"by the period, revoked meanwhile, an error", seen(revoked), asked(rotateFor(schedule.ReasonPeriod, "tok_3"), onRevoked(schedule.OnRevokedError)), outcome{Err: "PS404"}},
	}
	for _, reason := range []schedule.Reason{schedule.ReasonCreated, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers, schedule.ReasonMoved, schedule.ReasonImported} {
		wanted, done := outcome{Rotate: true, Reason: reason}, outcome{Reason: reason}
		change := rotateFor(reason, "tok_3")
		stories = append(stories,
			story{string(reason) + ": not done", seen(otherIntent), asked(change), wanted},
			story{string(reason) + ": done before the run was killed", seen(), asked(change), done},
			story{string(reason) + ": done by another resource", seen(otherOwner), asked(change), taken(reason)},
			story{string(reason) + ": done, but due again", seen(after(30 * schedule.Day)), asked(change), wanted},
			story{string(reason) + ": done, then put back by hand", seen(rolledBackByHand), asked(change), outcome{Rotate: true, Reason: reason, Notes: []string{"PS206"}}},
			story{string(reason) + ": the entry serves the token to be kept", seen(), asked(change, func(r *Request) { r.Keep = []string{"tok_3"} }), wanted},
			story{string(reason) + ": asked for, so on_revoked does not forbid it", seen(revoked), asked(change, onRevoked(schedule.OnRevokedError)), wanted},
		)
	}
	tell(t, stories)
}

// taken returns the outcome of a request for an entry that another resource owns. A create
// or a move takes it over with a warning. Every other request is refused.
func taken(reason schedule.Reason) outcome {
	if reason == schedule.ReasonCreated || reason == schedule.ReasonMoved {
		return outcome{Rotate: true, Reason: reason, Notes: []string{"PS214"}}
	}
	return outcome{Err: "PS209"}
}

// The intent contains everything that a token is minted for, and nothing else.
func TestIntent(t *testing.T) {
	t.Parallel()
	same := asked().intent()
	for name, change := range map[string]func(*Request){
		"label":      func(r *Request) { r.Label = "CD" },
		"lifetime":   func(r *Request) { r.Policy.Lifetime = 60 * schedule.Day },
		"never":      func(r *Request) { r.Policy.Lifetime, r.Policy.Never = 0, true },
		"fixed end":  func(r *Request) { r.Policy.Lifetime, r.Policy.ExpiresAt = 0, born.Add(90*schedule.Day) },
		"triggers":   func(r *Request) { r.Triggers = "v2" },
		"boundaries": func(r *Request) { r.Label, r.Triggers = `CI" 0`, `v1` },
	} {
		if asked(change).intent() == same {
			t.Errorf("another %s is the same intent", name)
		}
	}
	for name, change := range map[string]func(*Request){
		"period": func(r *Request) { r.Policy.Period = 7 * schedule.Day },
		"owner":  func(r *Request) { r.Owner = "resource-2" },
		"wish":   rotateFor(schedule.ReasonTriggers, "tok_9"),
		"zone": func(r *Request) {
			r.Policy.ExpiresAt = time.Time{}.In(time.FixedZone("CET", 3600))
		},
	} {
		if asked(change).intent() != same {
			t.Errorf("another %s is another intent", name)
		}
	}
	if len(same) != nonceLength || slices.ContainsFunc([]rune(same), func(r rune) bool { return r > 'z' }) {
		t.Errorf("intent %q", same)
	}
}
