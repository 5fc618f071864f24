package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Location identifies one entry of a store and the data field of its secret. A location in
// Vault has a mount. A location in AWS Secrets Manager has none.
type Location struct {
	Region    string `json:",omitempty"` // AWS only; "" is the region of the client
	Namespace string // Vault only; "" is the namespace of the client
	Mount     string // Vault only: "secret", without leading or trailing slashes
	Path      string // "ci/paistrike", without leading or trailing slashes; in AWS, the name of the secret
	Key       string // the data field of the secret, "token" by default
}

// Entry returns the location without the key, because all keys of an entry share its
// versions.
func (l Location) Entry() Location {
	l.Key = ""
	return l
}

// String returns the location as a user would write it: "secret/ci/paistrike", preceded by
// the namespace or the region if there is one.
func (l Location) String() string {
	parts := slices.DeleteFunc([]string{l.Region, strings.Trim(l.Namespace, "/"), l.Mount, l.Path}, func(s string) bool { return s == "" })
	return strings.Join(parts, "/")
}

// State is the state of a record.
type State string

// The two states of a record.
const (
	StateActive    State = "active"
	StateTombstone State = "tombstone"
)

// Retiring is a token that was replaced and keeps working until RevokeAfter, so that
// consumers have time to fetch the new one.
type Retiring struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	SupersededAt time.Time `json:"superseded_at"`
	RevokeAfter  time.Time `json:"revoke_after"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // zero if it never expires
}

// Revision identifies one version of an entry in its store. It is opaque, and is the
// argument of a check-and-set write. The zero value represents an entry that was never
// written.
type Revision string

// Record is the content of one version of an entry: the current token and the state of the
// rotation protocol. A single check-and-set write publishes all of it.
type Record struct {
	State     State
	Secret    secret.Secret // zero in a tombstone
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero if it never expires

	Slot string // which entry of which store this record was written for; see [Slot]
	Inc  string // incarnation of the entry; changes when its history restarts
	// Gen counts publications, starting at 1. It exceeds every generation that the entry,
	// Terraform's state, and the names of the slot's tokens have shown.
	Gen  int
	Base Revision // the revision that this write replaced
	Op   string   // nonce of the run that wrote it

	Owner    string // ID of the Terraform resource that manages the entry, if any
	Intent   string // fingerprint of the configuration that the token was minted for
	Identity string // identity of the store that it was written to
	Endpoint string // the PAIStrike that the token belongs to

	Schedule   schedule.Schedule // the policy at publication
	VerifiedAt time.Time
	Retiring   []Retiring
	// Key is the data field of the secret. Decoding sets it. Encoding uses the key of the
	// Location instead.
	Key string
	// Alias is a former data field that also contains the secret until the overlap after a
	// change of the key is over, or "".
	Alias string
}

// Condition is the state of one version.
type Condition string

// The conditions of a version.
const (
	Absent    Condition = "absent"    // there is no such version
	Live      Condition = "live"      // its data can be read
	Deleted   Condition = "deleted"   // its data is hidden and can be restored
	Destroyed Condition = "destroyed" // its data is gone
)
