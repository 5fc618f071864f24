package entry

import (
	"errors"
	"time"
)

// Glance is the part of an entry that a store shows without its secret.
type Glance struct {
	// Slots are the hashes that identify this entry: first that of the store's identity,
	// then those of its former identities. See [Slot].
	Slots    []string
	Identity string // the store's

	Revision  Revision  // of the current version
	Follows   Revision  // the revision that the current version replaced, as the store reports it
	Condition Condition // of the current version; [Absent] if nothing was ever written
	// Rewinds is true if an older version can become current again without a new one, for
	// example by moving a label. Then an older generation may have been current even if a
	// newer one was published.
	Rewinds bool
	// Lifespan is how long the store keeps a version. Zero means forever.
	Lifespan time.Duration

	Managed bool // the metadata marks the entry as ours
	Mirror  Mirror
	// Problem is a [*MirrorError] or a [*SchemaError] if Managed is true and the mirror
	// cannot be decoded.
	Problem error
}

// Slot returns the slot of the store's current identity.
func (g Glance) Slot() string {
	if len(g.Slots) == 0 {
		return ""
	}
	return g.Slots[0]
}

// Version is one version of an entry with its data.
type Version struct {
	Revision  Revision // zero if Condition is [Absent]
	Follows   Revision // the revision that it replaced, as the store reports it
	Condition Condition
	// Record is nil unless the version is live and contains a record.
	Record *Record
	// Problem is a [*ForeignError] or a [*SchemaError] if the version is live and does not
	// contain a record that can be decoded.
	Problem error
	// Closed is true if metadata marks the entry as closed by this version, a tombstone.
	Closed bool
}

// Published is the version that a write created.
type Published struct {
	Revision Revision
	Deletion time.Time // when the store deletes it automatically; zero if never
}

// Ending determines what happens to the versions of an entry when its token ends. In each
// case a tombstone becomes the current version and every token of the entry is revoked.
type Ending string

// The endings.
const (
	EndDelete Ending = "delete" // delete every version, as far as that can be undone
	EndKeep   Ending = "keep"   // keep the older versions readable
	EndPurge  Ending = "purge"  // remove the entry with its history
)

// Errors of a store, for errors.Is. After any other error of a write, it is unknown
// whether the write was carried out.
var (
	// ErrRefused means that the store refused a write because a permission is missing.
	// Nothing was written.
	ErrRefused = errors.New("the store refused the write")
	// ErrMayBeRestored means that a deleted entry may have been restored with its content,
	// although the call that restores it failed.
	ErrMayBeRestored = errors.New("the deleted entry may be there again")
	// ErrSuperseded means that someone wrote the entry in the meantime, so it was left
	// unchanged.
	ErrSuperseded = errors.New("the entry was written in the meantime")
	// ErrNoPlace means that the container of the entry, such as a mount, does not exist.
	ErrNoPlace = errors.New("the place does not exist")
	// ErrUnavailable means that the store cannot currently serve any request.
	ErrUnavailable = errors.New("the store is not available")
	// ErrForbidden means that the store's credential lacks a permission.
	ErrForbidden = errors.New("a permission is missing")
)

// Forbidden wraps an error so that errors.Is reports [ErrForbidden]. The text stays the
// same.
func Forbidden(err error) error { return forbiddenError{err} }

type forbiddenError struct{ error }

func (e forbiddenError) Is(target error) bool { return target == ErrForbidden }

func (e forbiddenError) Unwrap() error { return e.error }

// Failure is a store's message to the user about an error: a code to search the
// documentation for, a summary, and what to do. The caller adds the sentence about what is
// true now, because the store does not know what happened before.
type Failure struct {
	Code    string
	Summary string
	Advice  string
	// Facts precedes the sentence about what is true now. It may be empty.
	Facts string
	Err   error
}

// NewFailure returns a [Failure]. cause, facts and advice may be empty.
func NewFailure(code, summary string, cause error, facts, advice string) error {
	return &Failure{Code: code, Summary: summary, Facts: facts, Advice: advice, Err: cause}
}

// Error returns the summary, the facts and the cause in one line.
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
