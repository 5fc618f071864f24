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

// Private state contains what a plan needs in addition to configuration and state. It is
// plain JSON in the state file, so it contains only IDs and times.
const (
	observedKey = "seen"
	formerKey   = "former"
	importedKey = "imported"
)

// observed is the result of the last refresh. Terraform plans before and after the
// approval, and both plans must be equal. So a plan never reads a clock, but uses the time
// that was read here. Times are in whole seconds.
type observed struct {
	Rotate    time.Time       `json:"-"` // the later of the servers' clocks
	Revoke    time.Time       `json:"-"` // the earlier
	Unhealthy schedule.Reason `json:"unhealthy,omitempty"`
	Stale     bool            `json:"stale,omitempty"`  // metadata describes another version
	Repair    bool            `json:"repair,omitempty"` // metadata differs from the configuration
	Held      bool            `json:"held,omitempty"`   // no replaced token may be revoked yet
	Strays    int             `json:"strays,omitempty"` // tokens to sweep
	// Elsewhere is true if this PAIStrike account does not know the token.
	Elsewhere bool   `json:"elsewhere,omitempty"`
	Taken     *taken `json:"taken,omitempty"`
}

// observedAt returns an observation of the clocks alone.
func observedAt(c schedule.Clock) observed {
	return observed{Rotate: c.Rotate().Truncate(time.Second), Revoke: c.Revoke().Truncate(time.Second)}
}

// or sets a missing time to that of the current token's creation, which is its lower
// bound.
func (o observed) or(state apiTokenModel) observed {
	if o.Rotate.IsZero() && o.Revoke.IsZero() {
		o.Rotate = timeOf(state.CreatedAt)
		o.Revoke = o.Rotate
	}
	return o
}

// stamp returns what private state stores of o: nil if the state alone implies it, which
// keeps private state empty until a token is an hour old.
func (o observed) stamp(state apiTokenModel) *observed {
	fromState := observed{}.or(state)
	if o == (observed{Rotate: o.Rotate, Revoke: o.Revoke}) && !o.olderThan(fromState) {
		return nil
	}
	return &o
}

// olderThan reports whether the times of two observations differ by more than
// restampAfter.
func (o observed) olderThan(other observed) bool {
	return o.Rotate.Sub(other.Rotate).Abs() > restampAfter || o.Revoke.Sub(other.Revoke).Abs() > restampAfter
}

// facts has the fields of observed that are encoded in JSON unchanged.
type facts observed

// stored is the shortest form of observed, because Terraform encodes private state in
// base64 twice.
type stored struct {
	At     int64  `json:"at"`               // Rotate in seconds since 1970
	Revoke *int64 `json:"revoke,omitempty"` // omitted if equal
	facts
}

// MarshalJSON encodes times as seconds.
func (o observed) MarshalJSON() ([]byte, error) {
	s := stored{At: o.Rotate.Unix(), facts: facts(o)}
	if !o.Revoke.Equal(o.Rotate) {
		revoke := o.Revoke.Unix()
		s.Revoke = &revoke
	}
	return json.Marshal(s)
}

// UnmarshalJSON decodes what MarshalJSON encoded.
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

// imports is an import that is not yet applied.
type imports struct {
	// Claim is true if the resource was imported from its entry, which names another owner
	// until the first apply.
	Claim bool `json:"claim,omitempty"`
	// ExpiresAt is the expiry of the token that the entry serves. It is not in state,
	// because the configuration that Terraform generates would then contain it.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Tokens were imported by ID, with the name that PAIStrike listed at that time. Only
	// Terraform retires them, because their names do not show which entry they belong to.
	Tokens []rotation.Imported `json:"tokens,omitempty"`
}

func (i imports) isZero() bool { return !i.Claim && len(i.Tokens) == 0 }

// restampAfter is how old the observed time may become while no decision depends on it.
// Updating it at every refresh would increment the state's serial at every apply.
const restampAfter = time.Hour

// formerEntry is an entry that the resource has moved away from. Its tokens work until
// RevokeAfter.
type formerEntry struct {
	At    entry.Location `json:"at"`
	Token entry.Retiring `json:"token"`
	// Before lists the tokens that were already in their overlap. They end with the entry.
	Before []entry.Retiring `json:"before,omitempty"`
	// RecoveryWindow is how long AWS keeps the entry after it ends, in days. 0 means the
	// default.
	RecoveryWindow int `json:"recovery_window,omitempty"`
}

// desired returns the desired end of the entry, according to its former block.
func (f formerEntry) desired() desired {
	return desired{at: f.At, settings: storeSettings{RecoveryWindow: f.RecoveryWindow}}
}

// tokens returns all tokens of an entry.
func (f formerEntry) tokens() []entry.Retiring {
	if f.Token.ID == "" {
		return nil
	}
	return append([]entry.Retiring{f.Token}, f.Before...)
}

func (f formerEntry) holds(id string) bool {
	return slices.ContainsFunc(f.tokens(), func(t entry.Retiring) bool { return t.ID == id })
}

// privateReader and privateWriter are the two halves of the framework's private state.
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
		diags.AddError("Private state cannot be read", "The key "+key+" of this resource's private state was not written by this provider. Run terraform apply -refresh-only.")
	}
	return value, diags
}

// writePrivate writes a value, or removes it if it is empty.
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
