package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func midday(days int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, days)
}

func TestAddressesAreReadLeniently(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                                   "/",
		"sort=name&page=1&q=":                "/",
		"sort=-created&q=+ci++":              "/?q=ci&sort=-created",
		"sort=colour&page=-3&at=":            "/",
		"page=x&open=a&open=a&open=b":        "/?open=a&open=b",
		"sort=-name&page=7&at=tok_1&other":   "/?at=tok_1&page=7&sort=-name",
		"q=" + strings.Repeat("%C3%A4", 150): "/?q=" + strings.Repeat("%C3%A4", 100),
		"q=a%ffb":                            "/?q=ab",
	} {
		values, err := url.ParseQuery(address)
		if err != nil {
			t.Fatal(err)
		}
		got := readQuery(values)
		if got.address() != want {
			t.Errorf("%q is shown at %q, want %q", address, got.address(), want)
		}
		if again := readQuery(got.values()); again.address() != want {
			t.Errorf("%q is not what was asked for", again.address())
		}
	}
	many := url.Values{}
	for i := range 2 * maxOpen {
		many.Add("open", fmt.Sprint(i))
	}
	if n := len(readQuery(many).Open); n != maxOpen {
		t.Errorf("%d groups are open", n)
	}
}

func TestColumnsSortTheOtherWayRoundAtTheSecondPress(t *testing.T) {
	t.Parallel()
	q := listQuery{Sort: byName, Page: 4, Find: "ci", At: "tok_1"}
	for _, want := range []string{"/?q=ci&sort=-name", "/?q=ci"} {
		if q = q.sortedBy(byName); q.address() != want {
			t.Errorf("the list is at %q, want %q", q.address(), want)
		}
	}
	for column, want := range map[string]bool{byCreated: true, byUsed: true, byExpires: false, byStatus: false} {
		if got := q.sortedBy(column); got.Desc != want || got.sortedBy(column).Desc == want {
			t.Errorf("%s: from the last %v", column, got.Desc)
		}
	}
}

// made returns a token of the given slot, or without a slot if slot is "".
func made(label, slot string, day, ends int) Token {
	t := Token{ID: fmt.Sprintf("%s%d", label, day), Name: label, CreatedAt: midday(day), Status: statusActive}
	if slot != "" {
		t.Name = fmt.Sprintf("%s-ps1-%s-7h2k5q-%d-w5c2m4pa", label, strings.Repeat(slot, 12), day)
	}
	if ends > 0 {
		t.RevokedAt, t.Status = midday(ends), statusRevoked
	}
	return t
}

func TestListIsArranged(t *testing.T) {
	t.Parallel()
	p := newPage(nil, newStore(nil), nil, nil)
	now := midday(10)
	tokens := []Token{ // newest first
		made("b", "b", 9, 0), made("a", "a", 8, 0), made("hand", "", 7, 8), made("boss", "", 6, 0), made("b", "b", 5, 9),
		made("b", "b", 4, 5), made("dead", "d", 3, 4), made("b", "b", 3, 4), made("b", "b", 2, 3), made("a", "a", 1, 9),
	}
	stored := indexed([]reading{{store: "Vault", entries: []Entry{{Place: "secret/team/x", TokenID: "a8", State: EntryActive}}}})
	for _, tc := range []struct{ name, address, want string }{
		{"groups, the living first", "", "a: a8 a1 | b: b9 b5 b4 b3 (1) | hand: boss6 hand7 | dead: (1)"},
		{"groups from the last", "sort=-name", "b: b9 b5 b4 b3 (1) | a: a8 a1 | hand: boss6 hand7 | dead: (1)"},
		{"unfolded", "open=bbbbbbbbbbbb&open=dddddddddddd", "a: a8 a1 | b: b9 b5 b4 b3 b2 | hand: boss6 hand7 | dead: dead3"},
		{"a search shows a dead token too", "q=DEAD", "dead: dead3"},
		{"a search for an id shows its group", "q=b2", "b: b9 b5 b4 b3 b2"},
		{"a search for a place", "q=team/x+vault", "a: a8 a1"},
		{"of others what matches", "q=hand", "hand: hand7"},
		{"nothing", "q=nothing", ""},
		{"what was just revoked stands above", "at=b5", "a: a8 a1 | b: b9 b4 b3 (1) | hand: boss6 hand7 | dead: (1)"},
		{"newest first, the living before all", "sort=-created", ": b9 a8 boss6 hand7 b5 b4 dead3 b3 b2 a1"},
		{"oldest first, the living before all", "sort=created", ": boss6 a8 b9 a1 b2 b3 dead3 b4 b5 hand7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			values, err := url.ParseQuery(tc.address)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, g := range p.arrange(tokens, stored, readQuery(values), now) {
				words := []string{g.label + ":"}
				for _, shown := range g.shown {
					words = append(words, shown.ID)
				}
				if g.folded > 0 {
					words = append(words, fmt.Sprintf("(%d)", g.folded))
				}
				texts = append(texts, strings.Join(words, " "))
			}
			if got := strings.Join(texts, " | "); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestTimesThatAreNoneSortAtTheirEnd(t *testing.T) {
	t.Parallel()
	never, soon, late := Token{ID: "never"}, Token{ID: "soon", ExpiresAt: midday(1), LastUsedAt: midday(-2)}, Token{ID: "late", ExpiresAt: midday(9), LastUsedAt: midday(-1)}
	for sort, want := range map[string]string{"expires": "soon late never", "-expires": "never late soon", "used": "never soon late", "-used": "late soon never"} {
		tokens := []Token{late, never, soon}
		slices.SortStableFunc(tokens, byColumn(readQuery(url.Values{"sort": {sort}}), midday(0)))
		if got := tokens[0].ID + " " + tokens[1].ID + " " + tokens[2].ID; got != want {
			t.Errorf("by %s: %s, want %s", sort, got, want)
		}
	}
}

func TestPagesKeepGroupsWhole(t *testing.T) {
	t.Parallel()
	sized := func(id string, rows int) group { return group{id: id, shown: make([]Token, rows)} }
	for _, tc := range []struct {
		groups []group
		want   string
	}{
		{nil, "[]"},
		{[]group{sized("a", 6), sized("b", 5), sized("c", 5)}, "[a6][b5 c5]"},
		{[]group{sized("a", 0), sized("b", 10)}, "[a0][b10]"},
		{[]group{sized("a", 3), sized("b", 25), sized("c", 5)}, "[a3][b10][b10+][b5+ c5]"},
	} {
		text := ""
		for _, page := range paged(tc.groups, 10) {
			var parts []string
			for _, g := range page {
				part := fmt.Sprintf("%s%d", g.id, len(g.shown))
				if g.continued {
					part += "+"
				}
				parts = append(parts, part)
			}
			text += "[" + strings.Join(parts, " ") + "]"
		}
		if text != tc.want {
			t.Errorf("pages %s, want %s", text, tc.want)
		}
	}
}

// spy is a secret store that answers only when the test tells it to.
type spy struct {
	asked  chan struct{}
	answer chan error
}

func (s *spy) Name() string { return "Vault" }

func (s *spy) Entries(ctx context.Context) ([]Entry, error) {
	s.asked <- struct{}{}
	select {
	case err := <-s.answer:
		return []Entry{{TokenID: "tok"}}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Stores are read only while someone views the page, one reading at a time. The last reading
// is available immediately.
func TestStoresAreReadWhileSomeoneLooks(t *testing.T) {
	t.Parallel()
	clock := newClock(time.Now, midday(0)) //nolint:forbidigo // it stands still
	s := &spy{asked: make(chan struct{}, 9), answer: make(chan error)}
	w := &watch{now: clock.Now}
	if got := w.look(t.Context()); got != nil {
		t.Errorf("without stores there is %v", got)
	}
	w.show([]SecretStore{s})

	first := make(chan []reading, 2)
	for range 2 {
		go func() { first <- w.look(t.Context()) }()
	}
	<-s.asked
	clock.Advance(4 * time.Second) // the reading takes this long
	s.answer <- nil
	for range 2 {
		if got := <-first; len(got) != 1 || len(got[0].entries) != 1 || got[0].failed {
			t.Errorf("the first reading is %+v", got)
		}
	}
	clock.Advance(11 * time.Second)
	w.look(t.Context())
	if len(s.asked) != 0 {
		t.Error("a slow store is read all the time")
	}
	clock.Advance(time.Second)
	if got := w.look(t.Context()); len(got) != 1 || got[0].failed {
		t.Errorf("while it is read, there is %+v", got)
	}
	<-s.asked
	w.mu.Lock()
	done := w.busy
	w.mu.Unlock()
	w.look(t.Context())
	s.answer <- errors.New("sealed")
	<-done
	if got := w.look(t.Context()); !got[0].failed || len(got[0].entries) != 1 || len(s.asked) != 0 {
		t.Errorf("after a failure there is %+v", got)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w.show([]SecretStore{s})
	w.look(gone) // a caller that has left does not wait
	<-s.asked
	s.answer <- nil
}
