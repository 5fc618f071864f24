package rotation

import (
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func settle(r *Request) { r.Wish = Settle }

func mayRepublish(r *Request) { r.Wish, r.MayRepublish = Settle, true }

func adopting(r *Request) { r.Adopt = true }

func TestDecideToSettle(t *testing.T) {
	t.Parallel()
	tell(t, []story{
		{"nothing to do", seen(), asked(settle), outcome{}},
		{"due, but not asked to rotate", seen(after(30 * schedule.Day)), asked(settle), outcome{}},
		{"expired, but not asked to rotate", seen(after(90 * schedule.Day)), asked(settle), outcome{}},
		{"revoked elsewhere", seen(revoked), asked(settle), outcome{}},
		{"revoked elsewhere, an error", seen(revoked), asked(settle, onRevoked(schedule.OnRevokedError)), outcome{Err: "PS404"}},
		{"nothing there", seen(vacant), asked(settle), outcome{}},
		{"the version was deleted", seen(broken(entry.Deleted)), asked(settle), outcome{}},
		{"someone else's secret", seen(foreign), asked(settle), outcome{Err: "PS208"}},
		{"put back by hand", seen(rolledBackByHand), asked(settle), outcome{Notes: []string{"PS206"}}},
		{"16 in their overlap", seen(retiringTokens(16)), asked(settle), outcome{}},
	})
}

// Two integrations that are configured with the same path do not take the entry from each
// other.
func TestDecideOnAnotherIntegrationsEntry(t *testing.T) {
	t.Parallel()
	others := func(label string) func(*observation) {
		return func(o *observation) {
			token := tokenFor(label, 3)
			o.current, o.Tokens = token, []paistrike.Token{token}
			o.version.Record.TokenName, o.version.Record.Owner = token.Name, "resource-2"
		}
	}
	create := rotateFor(schedule.ReasonCreated, "")
	refused, takenOver := outcome{Err: "PS209"}, outcome{Rotate: true, Reason: schedule.ReasonCreated}
	handMade := func(o *observation) { o.version.Record.TokenName, o.version.Record.Owner = "CI", "resource-2" }
	tell(t, []story{
		{"another label", seen(others("CD")), asked(create), refused},
		{"a label that begins alike", seen(others("CI2")), asked(create), refused},
		{"another label, settling", seen(others("CD")), asked(settle), refused},
		{"another label, on a schedule", seen(others("CD")), asked(), refused},
		{"another label, adopted", seen(others("CD")), asked(create, adopting), outcome{Rotate: true, Reason: schedule.ReasonCreated, Notes: []string{"PS214"}}},
		{"a name that no run made", seen(handMade), asked(create), refused},
		{"the same label: create_before_destroy, a rename, a second workspace", seen(others("CI")), asked(create), outcome{Rotate: true, Reason: schedule.ReasonCreated, Notes: []string{"PS214"}}},
		{"the same label, but not a create: it was lost to another resource", seen(others("CI")), asked(settle), refused},
		{"the same label, but not a create: a rotation", seen(others("CI")), asked(rotateFor(schedule.ReasonTriggers, "tok_3")), refused},
		{"imported from the entry", seen(others("CI")), asked(settle, func(r *Request) { r.TakeOver = true }), outcome{Republish: true}},
		{"another label, our own: renamed", seen(), asked(rotateFor(schedule.ReasonName, "tok_3"), func(r *Request) { r.Label = "CD" }), outcome{Rotate: true, Reason: schedule.ReasonName}},
		{"another label and owner, and the token that was planned for", seen(others("CD")), asked(rotateFor(schedule.ReasonName, "tok_3")), refused},
		{"by its owner, as a schedule runs for it", seen(others("CD")), asked(func(r *Request) { r.Owner = "resource-2" }), outcome{}},
		{"a tombstone is nobody's", seen(vacant), asked(create), takenOver},
	})
}

// A new version with the same token fences off a stale mint, and drops the field of a
// former key.
func TestDecideToRepublish(t *testing.T) {
	t.Parallel()
	// A token of the current version's generation, created age ago.
	stale := func(age time.Duration, changes ...func(*paistrike.Token)) func(*observation) {
		return func(o *observation) {
			token := tokenFor("CI", 4)
			token.CreatedAt = o.Clock.Now().Add(-age)
			for _, change := range changes {
				change(&token)
			}
			o.Tokens = append(o.Tokens, token)
		}
	}
	alias := func(o *observation) { o.version.Record.Alias = "old_key" }
	over := func(o *observation) { o.retiring = []entry.Retiring{{ID: "tok_2", RevokeAfter: today}} }
	named := func(o *observation) {
		o.version.Record.Retiring = []entry.Retiring{{ID: "tok_4", RevokeAfter: today.Add(schedule.Day)}}
	}
	otherBase := func(token *paistrike.Token) { token.Name = tokenFor("CI", 2).Name }
	ended := func(token *paistrike.Token) { token.Status = paistrike.StatusRevoked }
	expired := func(token *paistrike.Token) { token.ExpiresAt = today }
	handMade := func(token *paistrike.Token) { token.Name = "CI" }
	behind := func(o *observation) { o.Clock = schedule.Clock{PAIStrike: today, Machine: today.Add(-time.Second)} }
	yes := outcome{Republish: true}
	tell(t, []story{
		{"a schedule.Day old", seen(stale(schedule.Day)), asked(mayRepublish), yes},
		{"a second less than a schedule.Day old: it may be in flight", seen(stale(schedule.Day - time.Second)), asked(mayRepublish), outcome{}},
		{"a schedule.Day old by the later clock alone", seen(stale(schedule.Day), behind), asked(mayRepublish), outcome{}},
		{"not allowed to", seen(stale(schedule.Day)), asked(settle), outcome{}},
		{"minted for an older version: swept, not fenced", seen(stale(schedule.Day, otherBase)), asked(mayRepublish), outcome{}},
		{"revoked", seen(stale(schedule.Day, ended)), asked(mayRepublish), outcome{}},
		{"expired", seen(stale(schedule.Day, expired)), asked(mayRepublish), outcome{}},
		{"not a token of ours", seen(stale(schedule.Day, handMade)), asked(mayRepublish), outcome{}},
		{"named by the record", seen(stale(schedule.Day), named), asked(mayRepublish), outcome{}},
		{"never on what a human put back", seen(stale(schedule.Day), rolledBackByHand), asked(mayRepublish), outcome{Notes: []string{"PS206"}}},
		{"never with a revoked token", seen(stale(schedule.Day), revoked), asked(mayRepublish), outcome{}},
		{"never on a broken version", seen(stale(schedule.Day), broken(entry.Deleted)), asked(mayRepublish), outcome{}},
		{"never where nothing is", seen(stale(schedule.Day), vacant), asked(mayRepublish), outcome{}},
		{"not beside a rotation, which fences too", seen(stale(schedule.Day)), asked(rotateFor(schedule.ReasonForced, ""), func(r *Request) { r.MayRepublish = true }), outcome{Rotate: true, Reason: schedule.ReasonForced}},
		{"on a schedule", seen(stale(schedule.Day)), asked(func(r *Request) { r.MayRepublish = true }), yes},

		{"a former key whose overlap is over", seen(alias, over), asked(mayRepublish), yes},
		{"another schedule", seen(), asked(mayRepublish, func(r *Request) { r.Schedule.Period = "7d" }), yes},
		{"another schedule, not allowed to", seen(), asked(settle, func(r *Request) { r.Schedule.Period = "7d" }), outcome{}},
		{"written under a former identity", seen(func(o *observation) { o.Slots = []string{"aaaaaaaaaaaa", ourSlot} }), asked(mayRepublish), yes},
		{"a former key with nothing retiring", seen(alias), asked(mayRepublish), yes},
		{"a former key in its overlap", seen(alias, retiringTokens(1)), asked(mayRepublish), outcome{}},
		{"a former key whose overlap is over by the later clock alone", seen(alias, over, behind), asked(mayRepublish), outcome{}},
		{"a former key on what a human put back", seen(alias, rolledBackByHand), asked(mayRepublish), outcome{Notes: []string{"PS206"}}},
	})
}

// Missed windows are mentioned only if they are the reason for the rotation.
func TestDecideRemarksMissedWindows(t *testing.T) {
	t.Parallel()
	cron, err := schedule.ParseCron("17 3 * * 1")
	if err != nil {
		t.Fatal(err)
	}
	weekly := func(r *Request) {
		r.Policy = schedule.Policy{Lifetime: 90 * schedule.Day, Schedule: cron, Window: 2 * time.Hour}.WithDefaults()
	}
	noted := []string{"PS402"}
	tell(t, []story{
		{"missed, and waiting for the next", seen(after(8 * schedule.Day)), asked(weekly), outcome{}},
		{"missed, and the next is open", seen(after(14*schedule.Day - 5*time.Hour)), asked(weekly), outcome{Rotate: true, Reason: schedule.ReasonSchedule}},
		{"missed, and the token ends soon", seen(after(60 * schedule.Day)), asked(weekly), outcome{Rotate: true, Reason: schedule.ReasonBefore, Notes: noted}},
		{"missed, and none is left", seen(after(57 * schedule.Day)), asked(weekly), outcome{Rotate: true, Reason: schedule.ReasonSchedule, Notes: noted}},
		{"missed, and replaced for another reason", seen(after(8 * schedule.Day)), asked(weekly, rotateFor(schedule.ReasonForced, "")), outcome{Rotate: true, Reason: schedule.ReasonForced}},
		{"missed since the plan that saw it open", seen(after(8 * schedule.Day)), asked(weekly, rotateFor(schedule.ReasonSchedule, "tok_3")), outcome{Rotate: true, Reason: schedule.ReasonSchedule}},
		{"missed, but not asked to rotate", seen(after(60 * schedule.Day)), asked(weekly, settle), outcome{}},
	})
}

// If an entry was removed with its history, its remaining tokens reveal that.
func TestDecideRemarksARemovedHistory(t *testing.T) {
	t.Parallel()
	left := func(tokens ...paistrike.Token) func(*observation) {
		return func(o *observation) { o.Tokens = tokens }
	}
	tombstone := func(o *observation) {
		o.version = entry.Version{Revision: "4", Follows: "3", Condition: entry.Live, Record: &entry.Record{State: entry.StateTombstone, Slot: ourSlot, Gen: 4, Base: "3"}}
		o.Revision = "4"
	}
	ended, past := tokenFor("CI", 3), tokenFor("CI", 4)
	ended.Status, past.ExpiresAt = paistrike.StatusRevoked, today
	create := rotateFor(schedule.ReasonCreated, "")
	wanted := outcome{Rotate: true, Reason: schedule.ReasonCreated}
	remarked := wanted
	remarked.Notes = []string{"PS207"}
	tell(t, []story{
		{"removed", seen(vacant, left(tokenFor("CI", 3), ended)), asked(create), remarked},
		{"removed, but not asked to rotate", seen(vacant, left(tokenFor("CI", 3))), asked(), outcome{Reason: schedule.ReasonGone}},
		{"a first create that was lost", seen(vacant, left(tokenFor("CI", 1))), asked(create), wanted},
		{"nothing of it works any more", seen(vacant, left(ended, past)), asked(create), wanted},
		{"closed by a tombstone", seen(vacant, tombstone, left(tokenFor("CI", 3))), asked(create), wanted},
	})
}
