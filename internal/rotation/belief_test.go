package rotation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// fewTokens is an account with a few tokens, one of which is the management token. It
// records which tokens were revoked.
type fewTokens struct {
	Tokens
	list    []paistrike.Token
	own     string
	revoked []string
}

func (f *fewTokens) List(context.Context) ([]paistrike.Token, error) { return f.list, nil }

func (f *fewTokens) Get(_ context.Context, id string) (paistrike.Token, error) {
	for _, token := range f.list {
		if token.ID == id {
			return token, nil
		}
	}
	return paistrike.Token{}, &paistrike.APIError{Status: 404}
}

func (f *fewTokens) MayBeOwn(_ context.Context, id string) (bool, error) { return id == f.own, nil }

func (f *fewTokens) Revoke(_ context.Context, id string) error {
	f.revoked = append(f.revoked, id)
	return nil
}
func (f *fewTokens) DropsRevoked() bool { return false }

func (f *fewTokens) engine(t *testing.T) *Engine {
	t.Helper()
	e := New(f, nil)
	if err := e.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// Every revocation requires a warrant.
func TestWhatARunMayRevoke(t *testing.T) {
	t.Parallel()
	bySlot := entryTokens([]string{ourSlot}, nil)
	handMade := paistrike.Token{ID: "tok_9", Name: "made by hand", Status: paistrike.StatusActive}
	mine, ended := tokenFor("CI", 3), tokenFor("CI", 4)
	ended.Status = paistrike.StatusRevoked
	for _, test := range []struct {
		name  string
		id    string
		by    paistrike.Warrant
		want  error
		calls int
	}{
		{"a name with this slot", mine.ID, bySlot, nil, 1},
		{"a name with a former slot", mine.ID, entryTokens([]string{"aaaaaaaaaaaa", ourSlot}, nil), nil, 1},
		{"a name with another slot", mine.ID, entryTokens([]string{"aaaaaaaaaaaa"}, nil), paistrike.ErrNotOurs, 0},
		{"no warrant", mine.ID, paistrike.Warrant{}, paistrike.ErrNotOurs, 0},
		{"a name that a person gave", handMade.ID, bySlot, paistrike.ErrNotOurs, 0},
		{"exactly the name that was sent", handMade.ID, paistrike.Sent("made by hand"), nil, 1},
		{"imported, id and name as seen", handMade.ID, entryTokens(nil, []Imported{{ID: "tok_9", Name: "made by hand"}}), nil, 1},
		{"imported, but renamed since", handMade.ID, entryTokens(nil, []Imported{{ID: "tok_9", Name: "before"}}), paistrike.ErrNotOurs, 0},
		{"imported, another token of that name", handMade.ID, entryTokens(nil, []Imported{{ID: "tok_8", Name: "made by hand"}}), paistrike.ErrNotOurs, 0},
		{"revoked before", ended.ID, bySlot, nil, 0},
		{"not known", "tok_77", bySlot, paistrike.ErrUnknown, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			account := &fewTokens{list: []paistrike.Token{handMade, mine, ended}}
			if err := account.engine(t).end(t.Context(), test.id, test.by); !errors.Is(err, test.want) || len(account.revoked) != test.calls {
				t.Errorf("error %v with %d revocations, want %v with %d", err, len(account.revoked), test.want, test.calls)
			}
		})
	}
}

// The response to a create is not sufficient evidence to revoke a token.
func TestATokenIsThrownAwayByWhatIsListed(t *testing.T) {
	t.Parallel()
	victim := paistrike.Token{ID: "tok_9", Name: "made by hand", Status: paistrike.StatusActive}
	name := Name{Label: "CI", Slot: ourSlot, Inc: ourInc, Gen: 4, Nonce: "w5c2m4ae"}
	account := &fewTokens{}
	e := account.engine(t)
	account.list = []paistrike.Token{victim}
	answered := victim
	answered.Name = name.String()
	e.inventory.note(answered)
	err := e.discard(t.Context(), mint{Minted: paistrike.Minted{Token: answered}, name: name})
	if !errors.Is(err, paistrike.ErrNotOurs) || len(account.revoked) > 0 {
		t.Errorf("error %v, revoked %v", err, account.revoked)
	}
}

func TestNothingIsRetiredBesideAStranger(t *testing.T) {
	t.Parallel()
	over := func(o *observation) {
		o.retiring = []entry.Retiring{{ID: "tok_2", Name: tokenFor("CI", 2).Name, RevokeAfter: today}}
	}
	if got := ripe(seen(over)); len(got) != 1 {
		t.Fatalf("ripe: %v", got)
	}
	if got := ripe(seen(over, also(usedBy(tokenFor("CI", 8))))); len(got) != 0 {
		t.Errorf("retired %v beside a token that this store never published", got)
	}
	if got := strays(seen(also(tokenFor("CI", 2)), also(usedBy(tokenFor("CI", 8))))); len(got) != 0 {
		t.Errorf("swept %v beside a token that this store never published", got)
	}
}

// The overlaps in a version that a person restored are out of date, so its tokens get a
// full overlap.
func TestAFullOverlapFollowsWhatAPersonWrote(t *testing.T) {
	t.Parallel()
	over := func(o *observation) {
		o.retiring = []entry.Retiring{{ID: "tok_2", RevokeAfter: today.Add(-time.Hour)}, {ID: "tok_1", RevokeAfter: today.Add(5 * schedule.Day)}}
	}
	ends := func(changes ...func(*observation)) (ends []time.Duration) {
		for _, r := range retiringAfter(seen(append(changes, over)...), nil, schedule.Day) {
			ends = append(ends, r.RevokeAfter.Sub(today))
		}
		return ends
	}
	if got, want := ends(), []time.Duration{-time.Hour, 5 * schedule.Day, schedule.Day}; !slices.Equal(got, want) {
		t.Errorf("overlaps end in %v, want %v", got, want)
	}
	if got, want := ends(rolledBackByHand), []time.Duration{schedule.Day, 5 * schedule.Day, schedule.Day}; !slices.Equal(got, want) {
		t.Errorf("after a person went back, overlaps end in %v, want %v", got, want)
	}
}

func TestARunNeverEndsItsOwnToken(t *testing.T) {
	t.Parallel()
	mine := tokenFor("CI", 3)
	account := &fewTokens{list: []paistrike.Token{mine}, own: mine.ID}
	if err := account.engine(t).end(t.Context(), mine.ID, entryTokens([]string{ourSlot}, nil)); !errors.Is(err, paistrike.ErrOwn) || len(account.revoked) > 0 {
		t.Errorf("error %v, revoked %v", err, account.revoked)
	}
}

func TestNotKnownIsNotRevoked(t *testing.T) {
	t.Parallel()
	if err := (&fewTokens{}).engine(t).end(t.Context(), "tok_3", entryTokens([]string{ourSlot}, nil)); !errors.Is(err, paistrike.ErrUnknown) {
		t.Errorf("a token that PAIStrike does not know counts as revoked: %v", err)
	}
}

// What a service does not report is neither true nor false.
func TestNoRuleRestsOnWhatIsNotTold(t *testing.T) {
	t.Parallel()
	beaten := untold(tokenFor("CI", 2))
	o := seen(also(beaten))
	if found := strays(o); len(found) > 0 {
		t.Errorf("swept %v, of which nobody knows whether it is used", found)
	}
	if len(o.strangers()) > 0 || Used(beaten) || Unused(beaten) {
		t.Error("a token counts as used, or as unused, though the service does not tell")
	}
	adopt, astray := split(o, Name{Inc: ourInc, Gen: 4}, nil)
	if len(adopt) != 1 || len(astray) != 0 {
		t.Errorf("adopted %v and swept %v, want it kept for an overlap", adopt, astray)
	}
}

// Metadata describes only the revision that it names, and nothing is revoked because of
// it.
func TestMetadataIsBoundToItsRevision(t *testing.T) {
	t.Parallel()
	sight := func(change func(*Sight)) Sight {
		s := Sight{At: home, Clock: clockAt(today), Glance: entry.Glance{
			Slots: []string{ourSlot}, Revision: "3", Follows: "2", Condition: entry.Live, Managed: true,
			Mirror: entry.Mirror{State: entry.StateActive, Of: 3, Revision: "3", Slot: ourSlot, TokenID: "tok_3", TokenName: tokenFor("CI", 3).Name},
		}}
		change(&s)
		return s
	}
	for _, test := range []struct {
		name   string
		change func(*Sight)
		stale  bool
		serves bool
		reason schedule.Reason
	}{
		{"as it should be", func(*Sight) {}, false, true, schedule.ReasonNone},
		{"of an older version", func(s *Sight) { s.Mirror.Revision = "2" }, true, false, schedule.ReasonNone},
		{"a tombstone over a live version", func(s *Sight) { s.Mirror.State = entry.StateTombstone }, true, false, schedule.ReasonNone},
		{"a tombstone of a version that is deleted", func(s *Sight) { s.Mirror.State, s.Condition = entry.StateTombstone, entry.Deleted }, false, false, schedule.ReasonGone},
		{"wiped, and a token of the entry lives", func(s *Sight) {
			s.Managed, s.Mirror, s.Tokens = false, entry.Mirror{}, []paistrike.Token{tokenFor("CI", 3)}
		}, true, false, schedule.ReasonNone},
		{"wiped, and nothing of it is known", func(s *Sight) { s.Managed, s.Mirror = false, entry.Mirror{} }, false, false, schedule.ReasonChanged},
		{"unreadable", func(s *Sight) { s.Problem = &entry.MirrorError{Key: "paistrike_created_at"} }, true, false, schedule.ReasonNone},
		{"of another store", func(s *Sight) { s.Mirror.Slot = "aaaaaaaaaaaa" }, false, false, schedule.ReasonChanged},
	} {
		s := sight(test.change)
		if s.Stale() != test.stale || s.Serves() != test.serves || s.Unhealthy() != test.reason {
			t.Errorf("%s: stale = %t, serves = %t, %q", test.name, s.Stale(), s.Serves(), s.Unhealthy())
		}
	}
}

// Generations only grow. If the machine slept between observation and mint, the run starts
// over.
func TestGenerationsOnlyGrow(t *testing.T) {
	t.Parallel()
	young := tokenFor("CI", 4)
	young.CreatedAt = today.Add(-time.Minute)
	old := tokenFor("CI", 4)
	lost := tokenFor("CI", 9)
	lost.Status = paistrike.StatusRevoked
	for _, test := range []struct {
		name  string
		o     observation
		floor int
		want  int
	}{
		{"the record's", seen(), 0, 4},
		{"Terraform has seen more", seen(), 7, 8},
		{"another run's mint is in flight", seen(also(young)), 0, 4},
		{"an old mint is left", seen(also(old)), 0, 5},
		{"a token of a later generation is in use", seen(also(usedBy(tokenFor("CI", 9)))), 0, 10},
		{"a token of a later generation was in use", seen(also(usedBy(lost))), 0, 10},
		{"a mint that lost its race", seen(also(lost)), 0, 10},
		{"nothing there", seen(vacant), 0, 1},
		{"metadata of a tombstone whose data is gone", seen(vacant, func(o *observation) { o.Mirror = entry.Mirror{Slot: ourSlot, Of: 6} }), 0, 7},
		{"metadata of another store", seen(func(o *observation) { o.Mirror = entry.Mirror{Slot: "aaaaaaaaaaaa", Of: 90} }), 0, 4},
	} {
		if got := test.o.nextGen(test.floor); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
