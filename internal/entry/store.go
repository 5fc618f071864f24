package entry

import (
	"errors"
	"time"
)

// Glance is what a store tells of an entry without showing its secret.
type Glance struct {
	// Slots are the hashes that tell this entry from all others: that of the store's
	// identity first, then those of its former identities. See [Slot].
	Slots    []string
	Identity string // the store's

	Revision  Revision  // of the current version
	Follows   Revision  // the revision that the current version replaced, by the store's own word
	Condition Condition // of the current version; [Absent] if nothing was ever written
	// Rewinds says that an older version can be made current again without a new one, as
	// by moving a label: that a generation was beaten does not prove that it was never
	// current.
	Rewinds bool
	// Lifespan is how long the store keeps a version; zero is for ever.
	Lifespan time.Duration

	Managed bool // the metadata says that the entry is ours
	Mirror  Mirror
	// Problem is a [*MirrorError] or a [*SchemaError] if Managed is true and the mirror
	// cannot be read.
	Problem error
}

// Slot returns the slot of the store's present identity.
func (g Glance) Slot() string {
	if len(g.Slots) == 0 {
		return ""
	}
	return g.Slots[0]
}

// Version is one version of an entry with its data.
type Version struct {
	Revision  Revision // zero if Condition is [Absent]
	Follows   Revision // the revision that it replaced, by the store's own word
	Condition Condition
	// Record is nil unless the version is live and a record.
	Record *Record
	// Problem is a [*ForeignError] or a [*SchemaError] if the version is live and is not
	// a record that can be read.
	Problem error
	// Closed says that metadata calls the entry closed by this version, a tombstone.
	Closed bool
}

// Published is the version that a write made.
type Published struct {
	Revision Revision
	Deletion time.Time // when the store deletes it by itself; zero: never
}

// Ending says how an entry ends when its token does. In each case its current
// version is closed by a tombstone and every token of it is revoked.
type Ending string

// The endings.
const (
	EndDelete Ending = "delete" // delete every version, as far as that can be undone
	EndKeep   Ending = "keep"   // keep the older versions readable
	EndPurge  Ending = "purge"  // remove the entry with its history
)

// What a store can answer, for errors.Is. Any other error of a write leaves open
// whether it was carried out.
var (
	// ErrRefused says that the store refused a write because a permission is missing;
	// nothing was written.
	ErrRefused = errors.New("the store refused the write")
	// ErrMayBeRestored says that an entry which was deleted may be there again, with what it
	// held, although the call that restores it failed.
	ErrMayBeRestored = errors.New("the deleted entry may be there again")
	// ErrSuperseded says that someone wrote the entry meanwhile, so that it was left as
	// it is.
	ErrSuperseded = errors.New("the entry was written meanwhile")
	// ErrNoPlace says that what the entry would lie in does not exist, such as a mount.
	ErrNoPlace = errors.New("the place does not exist")
	// ErrUnavailable says that the store cannot serve anyone just now, so that asking
	// anything else of it is pointless.
	ErrUnavailable = errors.New("the store is not available")
	// ErrForbidden says that the store's credential lacks a permission.
	ErrForbidden = errors.New("a permission is missing")
)

// Forbidden marks an error as one for which [ErrForbidden] holds. Its text stays.
func Forbidden(err error) error { return forbiddenError{err} }

type forbiddenError struct{ error }

func (e forbiddenError) Is(target error) bool { return target == ErrForbidden }

func (e forbiddenError) Unwrap() error { return e.error }

// Failure is what a store has to say to the user about an error: a code that the
// documentation can be searched for, a summary, and what to do. The sentence that says
// what is true now is the caller's, because the store does not know what went before.
type Failure struct {
	Code    string
	Summary string
	Advice  string
	// Facts precedes the sentence that says what is true now; it may be empty.
	Facts string
	Err   error
}

// NewFailure returns a [Failure]; cause, facts and advice may be empty.
func NewFailure(code, summary string, cause error, facts, advice string) error {
	return &Failure{Code: code, Summary: summary, Facts: facts, Advice: advice, Err: cause}
}

// Error returns summary, facts and cause in one line.
func (f *Failure) Error() string {
	text := f.Summary
	if f.Facts != "" {
		text += ": " + f.Facts
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
