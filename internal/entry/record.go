package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Location names one entry of a store and the field in it that holds the secret. A
// location in Vault has a mount; one in AWS Secrets Manager has none.
type Location struct {
	Region    string `json:",omitempty"` // of AWS; "" is the region of the client
	Namespace string // of Vault; "" is the namespace of the client
	Mount     string // of Vault: "secret", without slashes at its ends
	Path      string // "ci/paistrike", without slashes at its ends; of AWS: the name
	Key       string // the field of the secret, "token" by default
}

// Entry returns the location without the field: two fields of one entry share its
// versions.
func (l Location) Entry() Location {
	l.Key = ""
	return l
}

// String names an entry as a person would: "secret/ci/paistrike", with the namespace or
// the region in front if there is one.
func (l Location) String() string {
	parts := slices.DeleteFunc([]string{l.Region, strings.Trim(l.Namespace, "/"), l.Mount, l.Path}, func(s string) bool { return s == "" })
	return strings.Join(parts, "/")
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

// Revision names one version of an entry in its store, and is opaque: what a
// check-and-set is told. The zero value stands for an entry that was never written.
type Revision string

// Record is the content of one version of an entry: the current token, and what the
// rotation protocol must remember. One check-and-set write publishes all of it.
type Record struct {
	State     State
	Secret    secret.Secret // zero in a tombstone
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never expires

	Slot string // which entry of which store this record was written for, see [Slot]
	Inc  string // incarnation of the entry, changes when its history restarts
	// Gen counts publications, beginning at 1. It exceeds every generation that the
	// entry, Terraform's state and the names of the slot's tokens have shown.
	Gen  int
	Base Revision // the revision that this write replaced
	Op   string   // nonce of the run that wrote it

	Owner    string // id of the Terraform resource that manages the entry, if any
	Intent   string // fingerprint of the configuration the token was minted for
	Identity string // which store it was written to
	Endpoint string // the PAIStrike that the token belongs to

	Schedule   schedule.Schedule // the policy at publication
	VerifiedAt time.Time
	Retiring   []Retiring
	// Key is the field that holds the secret. It is set by reading; writing uses the
	// Location's.
	Key string
	// Alias is a former field that also carries the secret until the overlap of a
	// changed key is over; "" if there is none.
	Alias string
}

// Condition is the state of one version.
type Condition string

// The conditions of a version.
const (
	Absent    Condition = "absent"    // there is no such version
	Live      Condition = "live"      // its data can be read
	Deleted   Condition = "deleted"   // its data is hidden, and can be brought back
	Destroyed Condition = "destroyed" // its data is gone
)
