package provider

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Private state holds what a plan may rest on beside configuration and state. It is
// plain JSON in the state file, so it holds ids and times only.
const (
	observedKey = "seen"
	formerKey   = "former"
	importedKey = "imported"
)

// observed is what the last refresh saw. Terraform plans twice, before and after
// the approval, and both plans must agree; so a plan never asks a clock, it uses
// the time that was read here. Times are whole seconds.
type observed struct {
	Rotate    time.Time       `json:"-"` // the later of the servers' clocks
	Revoke    time.Time       `json:"-"` // the earlier
	Unhealthy schedule.Reason `json:"unhealthy,omitempty"`
	Stale     bool            `json:"stale,omitempty"`  // metadata describes another version
	Repair    bool            `json:"repair,omitempty"` // metadata differs from the configuration
	Held      bool            `json:"held,omitempty"`   // no replaced token may be revoked yet
	Strays    int             `json:"strays,omitempty"` // tokens to sweep
	// Elsewhere says that the token is not known to this PAIStrike account.
	Elsewhere bool   `json:"elsewhere,omitempty"`
	Taken     *taken `json:"taken,omitempty"`
}

// observedAt is what is known from the clocks alone.
func observedAt(c schedule.Clock) observed {
	return observed{Rotate: c.Rotate().Truncate(time.Second), Revoke: c.Revoke().Truncate(time.Second)}
}

// or adds the time if there is none: it is at least the one at which the current token was
// created.
func (o observed) or(state apiTokenModel) observed {
	if o.Rotate.IsZero() && o.Revoke.IsZero() {
		o.Rotate = timeOf(state.CreatedAt)
		o.Revoke = o.Rotate
	}
	return o
}

// stamp is what private state holds of o: nothing if the state alone says as much, which
// keeps private state empty until a token is an hour old.
func (o observed) stamp(state apiTokenModel) *observed {
	fromState := observed{}.or(state)
	if o == (observed{Rotate: o.Rotate, Revoke: o.Revoke}) && !o.olderThan(fromState) {
		return nil
	}
	return &o
}

// olderThan reports whether two observations are too far apart for one to stand for the other.
func (o observed) olderThan(other observed) bool {
	return o.Rotate.Sub(other.Rotate).Abs() > restampAfter || o.Revoke.Sub(other.Revoke).Abs() > restampAfter
}

// facts are the fields of observed that JSON writes as they are.
type facts observed

// stored is observed in its shortest form: Terraform encodes private state in base64 twice.
type stored struct {
	At     int64  `json:"at"`               // Rotate in seconds since 1970
	Revoke *int64 `json:"revoke,omitempty"` // left out if it is the same
	facts
}

// MarshalJSON writes times as seconds.
func (o observed) MarshalJSON() ([]byte, error) {
	s := stored{At: o.Rotate.Unix(), facts: facts(o)}
	if !o.Revoke.Equal(o.Rotate) {
		revoke := o.Revoke.Unix()
		s.Revoke = &revoke
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *observed) UnmarshalJSON(raw []byte) error {
	var s stored
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	*o = observed(s.facts)
	o.Rotate = time.Unix(s.At, 0).UTC()
	o.Revoke = o.Rotate
	if s.Revoke != nil {
		o.Revoke = time.Unix(*s.Revoke, 0).UTC()
	}
	return nil
}

// taken is the publication of another resource on our entry.
type taken struct {
	Owner     string `json:"owner"`
	Gen       int    `json:"gen"`
	TokenID   string `json:"token_id"`
	TokenName string `json:"token_name"`
}

// imports is what was imported and has not been brought to the end yet.
type imports struct {
	// Claim says that the resource was imported from its entry, which names another
	// owner until the first apply.
	Claim bool `json:"claim,omitempty"`
	// ExpiresAt is the expiry of the token that the entry serves. In state it would be
	// one attribute too many for the configuration that Terraform generates.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Tokens were imported by id, with the name that PAIStrike listed then. Terraform
	// alone retires them, because nothing in their names says whose they are.
	Tokens []rotation.Imported `json:"tokens,omitempty"`
}

func (i imports) isZero() bool { return !i.Claim && len(i.Tokens) == 0 }

// restampAfter is how old the observed time may grow while nothing changes by it.
// Stamping at every refresh would bump the state's serial at every apply.
const restampAfter = time.Hour

// formerEntry is an entry that the resource has moved away from. Its tokens
// work until RevokeAfter.
type formerEntry struct {
	At    entry.Location `json:"at"`
	Token entry.Retiring `json:"token"`
	// Before are those that were in their overlap already. They end with the entry.
	Before []entry.Retiring `json:"before,omitempty"`
	// RecoveryWindow is how many days AWS keeps the entry when it ends; 0 is the default.
	RecoveryWindow int `json:"recovery_window,omitempty"`
}

// desired is what is wanted of the entry: that it ends as its block said.
func (f formerEntry) desired() desired {
	return desired{at: f.At, settings: storeSettings{RecoveryWindow: f.RecoveryWindow}}
}

// tokens returns all of an entry.
func (f formerEntry) tokens() []entry.Retiring {
	if f.Token.ID == "" {
		return nil
	}
	return append([]entry.Retiring{f.Token}, f.Before...)
}

func (f formerEntry) holds(id string) bool {
	return slices.ContainsFunc(f.tokens(), func(t entry.Retiring) bool { return t.ID == id })
}

// privateReader and privateWriter are the two halves of the framework's private
// state.
type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func readPrivate[T any](ctx context.Context, private privateReader, key string) (T, diag.Diagnostics) {
	var value T
	raw, diags := private.GetKey(ctx, key)
	if diags.HasError() || len(raw) == 0 {
		return value, diags
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		diags.AddError("Private state cannot be read", "The private state of this resource, key "+key+", is not what this provider wrote. Run terraform apply -refresh-only.")
	}
	return value, diags
}

// writePrivate writes a value, or takes it away if there is nothing to say.
func writePrivate[T any](ctx context.Context, private privateWriter, key string, value T) diag.Diagnostics {
	raw, err := json.Marshal(value)
	if err != nil {
		var diags diag.Diagnostics
		diags.AddError("Private state cannot be written", err.Error())
		return diags
	}
	if slices.Contains([]string{"null", "{}", "[]"}, string(raw)) {
		raw = nil
	}
	return private.SetKey(ctx, key, raw)
}
