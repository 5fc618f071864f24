package entry

import (
	"maps"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Mirror is the description of a record in the metadata of its entry. It never contains a
// secret, and it can always be rebuilt from the record, which is authoritative. A plan or
// a scheduled run can read it without permission to read the secret. Anyone with
// permission to write metadata may have written it, so it may only decide when a run reads
// the record.
type Mirror struct {
	State State
	// Of and Revision are the generation and the revision that the mirror describes. If
	// that is not the current revision, the record must be read instead.
	Of       int
	Revision Revision
	Slot     string
	Owner    string
	Identity string
	Endpoint string
	// Key is the data field of the secret, or "" for [DefaultKey]. The record contains it
	// too, but a deleted record cannot be read.
	Key       string
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero if it never expires

	NextRotation time.Time // zero if no rotation is scheduled
	Retiring     []RetiringRef
	Schedule     schedule.Schedule

	LastRun   time.Time
	LastError string // a code such as "PS205", never a text
}

// RetiringRef is the short form of [Retiring] that fits into metadata.
type RetiringRef struct {
	ID          string
	RevokeAfter time.Time
}

// MirrorOf returns the mirror of a record at a revision. live lists the replaced tokens
// that still work.
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

// Says reports whether both mirrors have the same encoding.
func (m Mirror) Says(other Mirror) bool { return maps.Equal(EncodeMirror(m), EncodeMirror(other)) }
