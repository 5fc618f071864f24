package entry

import "time"

// Mirror is what custom_metadata says of an entry: never a secret, and always
// rebuildable from the record, which is the truth. It lets a plan or a
// scheduler decide without the right to read the secret.
type Mirror struct {
	State State
	Of    int // KV version that this mirror describes
	Slot  string
	// Key is the data field of the secret, "" for [DefaultKey]. The record says so
	// too, but where its version is deleted nobody can ask it.
	Key       string
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never expires

	NextRotation time.Time // zero: no rotation is due by time
	Retiring     []RetiringRef

	// The schedule, as the user wrote it: durations such as "30d", a 5-field
	// cron expression in UTC, a lifetime such as "90d" or "never".
	RotationPeriod   string
	RotationSchedule string
	RotationWindow   string
	BeforeExpiry     string
	Overlap          string
	Jitter           string
	RetireWhenIdle   bool
	ExpiresIn        string
	// OnRevoked is what to do about a token that was revoked elsewhere; "" to
	// replace it.
	OnRevoked string

	LastRun   time.Time
	LastError string // a code such as "PS205", never a text
}

// RetiringRef is the short form of [Retiring] that fits custom_metadata.
type RetiringRef struct {
	ID          string
	RevokeAfter time.Time
}
