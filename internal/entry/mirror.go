package entry

import (
	"maps"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Mirror is what the metadata of an entry says of its record: never a secret, and always
// rebuildable from the record, which is the truth. It lets a plan or a scheduler look
// without the right to read the secret. Whoever may write metadata may have written it,
// so it decides when a run looks at the record, and nothing else.
type Mirror struct {
	State State
	// Of and Revision name the generation and the revision that the mirror describes. A
	// reader for whom the revision is not the current one reads the record.
	Of       int
	Revision Revision
	Slot     string
	Owner    string
	Identity string
	Endpoint string
	// Key is the field of the secret, "" for [DefaultKey]. The record says so too, but if
	// its version is deleted nobody can ask it.
	Key       string
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never expires

	NextRotation time.Time // zero: no rotation is due by time
	Retiring     []RetiringRef
	Schedule     schedule.Schedule

	LastRun   time.Time
	LastError string // a code such as "PS205", never a text
}

// RetiringRef is the short form of [Retiring] that fits metadata.
type RetiringRef struct {
	ID          string
	RevokeAfter time.Time
}

// MirrorOf returns what metadata shall say of a record at a revision, of whose replaced
// tokens live ones are left.
func MirrorOf(record Record, revision Revision, live []Retiring, next time.Time) Mirror {
	m := Mirror{
		State: record.State, Of: record.Gen, Revision: revision, Slot: record.Slot,
		Owner: record.Owner, Identity: record.Identity, Endpoint: record.Endpoint, Key: record.Key,
		TokenID: record.TokenID, TokenName: record.TokenName,
		CreatedAt: record.CreatedAt, ExpiresAt: record.ExpiresAt, NextRotation: next, Schedule: record.Schedule,
	}
	for _, r := range live {
		m.Retiring = append(m.Retiring, RetiringRef{ID: r.ID, RevokeAfter: r.RevokeAfter})
	}
	return m
}

// Says reports whether both mirrors are written alike.
func (m Mirror) Says(other Mirror) bool { return maps.Equal(EncodeMirror(m), EncodeMirror(other)) }
