package entry

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Location names one KV v2 entry and the field in it that holds the secret.
type Location struct {
	Namespace string // "" is the namespace of the Vault client
	Mount     string // "secret", without slashes at its ends
	Path      string // "ci/paistrike", without slashes at its ends
	Key       string // the data field of the secret, "token" by default
}

// State says what a record stands for.
type State string

// The two states of a record.
const (
	StateActive    State = "active"
	StateTombstone State = "tombstone"
)

// Retiring is a token that was replaced and still works until RevokeAfter, so
// that consumers have time to fetch the new one.
type Retiring struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	SupersededAt time.Time `json:"superseded_at"`
	RevokeAfter  time.Time `json:"revoke_after"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // zero: never expires
}

// Record is the content of one KV version: the current token, and what the
// rotation protocol must remember. One check-and-set write publishes all of it.
type Record struct {
	State     State
	Secret    secret.Secret // zero in a tombstone
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never expires

	Slot       string // which mount, namespace and path this record was written for
	Inc        string // incarnation of the key, changes when the key's history restarts
	Base       int    // KV version this write was based on; Base+1 is its own version
	Op         string // nonce of the run that wrote it
	Owner      string // id of the Terraform resource that manages the entry, if any
	Intent     string // fingerprint of the configuration the token was minted for
	VerifiedAt time.Time
	Retiring   []Retiring
	// Key is the data field that holds the secret. It is set by reading; writing
	// uses the Location's.
	Key string
	// Alias is a former data field that also carries the secret until the
	// overlap of a changed key is over; "" where there is none.
	Alias string
}

// Condition is the state of one KV version.
type Condition string

// The conditions of a KV version.
const (
	Absent    Condition = "absent"    // there is no such version
	Live      Condition = "live"      // its data can be read
	Deleted   Condition = "deleted"   // its data is hidden, and can be brought back
	Destroyed Condition = "destroyed" // its data is gone
)
