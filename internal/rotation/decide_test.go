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
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// The stories below begin with one entry: version 3 serves token tok_3 of 90 days,
// made on 5 January for "CI", and a schedule.Day has passed.
var (
	born  = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	today = born.Add(schedule.Day)
	home  = entry.Location{Mount: "secret", Path: "ci/paistrike", Key: "token"}
)

const (
	ourSlot = "k3v7q2m6xtab"
	ourInc  = "7h2k5q"
)

// tokenFor is a token minted for a version, with the name that says so.
func tokenFor(label string, base int) paistrike.Token {
	name := Name{Label: label, Slot: ourSlot, Inc: ourInc, Base: base, Nonce: fmt.Sprintf("w5c2m4%c%c", 'a'+base/26, 'a'+base%26)}
	return paistrike.Token{
		ID: fmt.Sprintf("tok_%d", base+1), Name: name.String(), CreatedAt: born, ExpiresAt: born.Add(90 * schedule.Day), Status: paistrike.StatusActive,
	}
}

func policy() schedule.Policy {
	return schedule.Policy{Lifetime: 90 * schedule.Day, Period: 30 * schedule.Day, Overlap: schedule.Day}.WithDefaults()
}

// seen is the entry as it was observed, with what a story changes.
func seen(changes ...func(*observation)) observation {
	token := tokenFor("CI", 2)
	record := entry.Record{
		State: entry.StateActive, TokenID: token.ID, TokenName: token.Name, CreatedAt: token.CreatedAt, ExpiresAt: token.ExpiresAt,
		Slot: ourSlot, Inc: ourInc, Base: 2, Op: "w5c2m4ac", Owner: "resource-1", Intent: asked().intent(), Key: "token",
	}
	o := observation{
		at: home, slot: ourSlot, kind: kindOurs, clock: schedule.Clock{PAIStrike: today, Vault: today},
		entry:  vault.Entry{Version: 3, Condition: entry.Live, Record: &record, Managed: true},
		tokens: []paistrike.Token{token}, current: token,
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// asked is a request that the entry was made for, with what a story changes.
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
	return func(o *observation) { o.clock = schedule.Clock{PAIStrike: born.Add(d), Vault: born.Add(d)} }
}

func revoked(o *observation) { o.current.Status = paistrike.StatusRevoked }

// rolledBackByHand is a version that carries what an earlier run wrote.
func rolledBackByHand(o *observation) { o.entry.Version = 5 }

func vacant(o *observation) {
	o.kind, o.entry, o.current, o.tokens = kindVacant, vault.Entry{Condition: entry.Absent}, paistrike.Token{}, nil
}

func broken(condition entry.Condition) func(*observation) {
	return func(o *observation) {
		o.kind, o.current = kindBroken, paistrike.Token{}
		o.entry.Record, o.entry.Condition = nil, condition
	}
}

func foreign(o *observation) {
	broken(entry.Live)(o)
	o.kind, o.entry.Problem = kindForeign, errors.New("no record")
}

func retiringTokens(count int) func(*observation) {
	return func(o *observation) {
		for i := range count {
			o.retiring = append(o.retiring, entry.Retiring{ID: fmt.Sprintf("old_%d", i), RevokeAfter: today.Add(time.Hour)})
		}
		o.entry.Record.Retiring = o.retiring
	}
}

// outcome is what a story compares of a decision.
type outcome struct {
	Rotate    bool
	Reason    schedule.Reason
	Republish bool
	Err       string   // a code
	Notes     []string // codes
}

func outcomeOf(d decision) outcome {
	out := outcome{Rotate: d.rotate, Reason: d.reason, Republish: d.republish}
	var failure *Error
	if errors.As(d.err, &failure) {
		out.Err = failure.Code
	}
	for _, note := range d.notes {
		out.Notes = append(out.Notes, note.Code)
	}
	return out
}

// story is one decision.
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

// A run that acts on what it finds, as a schedule starts it.
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
		{"somebody else's secret", seen(foreign), asked(), outcome{Err: "PS208"}},
		{"somebody else's secret, adopted", seen(foreign), asked(func(r *Request) { r.Adopt = true }), outcome{Rotate: true, Reason: schedule.ReasonChanged}},
		{"put back by hand", seen(rolledBackByHand), asked(), outcome{Notes: []string{"PS206"}}},
		{"put back by hand, and due", seen(rolledBackByHand, after(30*schedule.Day)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod, Notes: []string{"PS206"}}},
		{
			"Vault's history was set back", seen(func(o *observation) { o.tokens = append(o.tokens, tokenFor("CI", 7)) }), asked(),
			outcome{Notes: []string{"PS206"}},
		},
		{
			"15 in their overlap", seen(after(30*schedule.Day), retiringTokens(15)), asked(),
			outcome{Rotate: true, Reason: schedule.ReasonPeriod},
		},
		{
			"16 in their overlap", seen(after(30*schedule.Day), retiringTokens(16)), asked(),
			outcome{Rotate: true, Reason: schedule.ReasonPeriod, Err: "PS503"},
		},
		{"16 in their overlap, and nothing to do", seen(retiringTokens(16)), asked(), outcome{}},
	})
}

// The later clock rotates, and clocks that are apart are remarked.
func TestDecideByTheClocks(t *testing.T) {
	t.Parallel()
	apart := func(d, vaultAhead time.Duration) func(*observation) {
		return func(o *observation) {
			o.clock = schedule.Clock{PAIStrike: born.Add(d), Vault: born.Add(d + vaultAhead)}
		}
	}
	tell(t, []story{
		{"a minute apart", seen(apart(30*schedule.Day-time.Minute, time.Minute)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
		{"61 s apart", seen(apart(30*schedule.Day-time.Minute, 61*time.Second)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod, Notes: []string{"PS307"}}},
		{"16 min apart: PAIStrike's counts", seen(apart(30*schedule.Day-time.Minute, 16*time.Minute)), asked(), outcome{Notes: []string{"PS307"}}},
		{"Vault behind", seen(apart(30*schedule.Day, -16*time.Minute)), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod, Notes: []string{"PS307"}}},
		{"the remark comes with a refusal too", seen(apart(0, time.Hour), foreign), asked(), outcome{Err: "PS208", Notes: []string{"PS307"}}},
		{"Vault did not say", seen(func(o *observation) { o.clock = schedule.Clock{PAIStrike: born.Add(30 * schedule.Day)} }), asked(), outcome{Rotate: true, Reason: schedule.ReasonPeriod}},
	})
}

// A plan may be old when it is applied.
func TestDecideARotationThatWasPlanned(t *testing.T) {
	t.Parallel()
	otherIntent := func(o *observation) { o.entry.Record.Intent = "aaaaaaaa" }
	otherOwner := func(o *observation) { o.entry.Record.Owner = "resource-2" }
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
			story{string(reason) + ": done for another resource", seen(otherOwner), asked(change), wanted},
			story{string(reason) + ": done, but due again", seen(after(30 * schedule.Day)), asked(change), wanted},
			story{string(reason) + ": done, then put back by hand", seen(rolledBackByHand), asked(change), outcome{Rotate: true, Reason: reason, Notes: []string{"PS206"}}},
			story{string(reason) + ": the entry serves the token to be kept", seen(), asked(change, func(r *Request) { r.Keep = []string{"tok_3"} }), wanted},
			story{string(reason) + ": asked for, so on_revoked does not forbid it", seen(revoked), asked(change, onRevoked(schedule.OnRevokedError)), wanted},
		)
	}
	tell(t, stories)
}

// Every part of what a token is minted for is part of the intent, and nothing else.
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
