package fleet

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Entries contains the entries of a report, ordered by path. A folder may have very many
// entries, and nearly all of them are ordinary: the run did nothing to them, and the report
// contains only their token and its schedule. An ordinary entry takes a third of the memory
// of an [Entry]. The zero value is empty and ready to use.
type Entries struct {
	rows  []row
	kinds map[kind]*kind
}

// row is an entry.
type row struct {
	path, tokenID, tokenName string
	gen                      int
	times                    [4]schedule.CompactTime // as [Entry.times] returns them
	kind                     *kind
	whole                    *Entry // an entry that is not ordinary; of the other fields, only path is set
}

// kind contains the values that many entries have in common.
type kind struct {
	outcome Outcome
	reason  schedule.Reason
	note    string
	overdue bool
	window  time.Duration
}

// EntriesOf returns entries, ordered by path.
func EntriesOf(all ...Entry) Entries {
	var l Entries
	for _, e := range all {
		l.add(e)
	}
	l.sort()
	return l
}

// add adds an entry at the end.
func (l *Entries) add(e Entry) {
	if !e.ordinary() {
		l.rows = append(l.rows, row{path: e.Path, whole: &e})
		return
	}
	k := kind{e.Outcome, e.Reason, e.Note, e.Overdue, e.Window}
	if l.kinds[k] == nil {
		if l.kinds == nil {
			l.kinds = map[kind]*kind{}
		}
		l.kinds[k] = &k
	}
	r := row{path: e.Path, tokenID: e.TokenID, tokenName: e.TokenName, gen: e.Gen, kind: l.kinds[k]}
	for i, at := range e.times() {
		r.times[i] = schedule.Compact(*at)
	}
	l.rows = append(l.rows, r)
}

func (e *Entry) times() [4]*time.Time {
	return [...]*time.Time{&e.CreatedAt, &e.ExpiresAt, &e.NextAt, &e.Deadline}
}

// ordinary reports whether a row can contain the entry without [row.whole].
func (e Entry) ordinary() bool {
	for _, at := range e.times() {
		if at.Location() != time.UTC {
			return false
		}
	}
	return e.Replaced == "" && e.Problem == nil && len(e.Previous)+len(e.Retired)+len(e.Swept)+len(e.Warnings) == 0
}

// At returns the entry with an index from 0 to [Entries.Len], exclusive.
func (l Entries) At(i int) Entry {
	r := l.rows[i]
	if r.whole != nil {
		return *r.whole
	}
	e := Entry{
		Path: r.path, TokenID: r.tokenID, TokenName: r.tokenName, Gen: r.gen,
		Outcome: r.kind.outcome, Reason: r.kind.reason, Note: r.kind.note, Overdue: r.kind.overdue, Window: r.kind.window,
	}
	for i, at := range e.times() {
		*at = r.times[i].Time()
	}
	return e
}

// Len returns the number of entries.
func (l Entries) Len() int { return len(l.rows) }

// All returns all entries with their indexes.
func (l Entries) All() iter.Seq2[int, Entry] {
	return func(yield func(int, Entry) bool) {
		for i := range l.rows {
			if !yield(i, l.At(i)) {
				return
			}
		}
	}
}

// MarshalJSON writes an array, [] if there are none.
func (l Entries) MarshalJSON() ([]byte, error) {
	all := make([]Entry, 0, l.Len())
	for _, e := range l.All() {
		all = append(all, e)
	}
	return json.Marshal(all)
}

// sort orders the entries by their paths.
func (l Entries) sort() {
	slices.SortFunc(l.rows, func(a, b row) int { return strings.Compare(a.path, b.path) })
}
