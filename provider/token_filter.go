package provider

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// tokenFilter selects tokens of the account. A token must match every part that is set.
// The zero value matches all tokens.
type tokenFilter struct {
	name          *regexp.Regexp
	status        string // active, expired or revoked
	expiresWithin time.Duration
	unusedFor     time.Duration
	neverUsed     *bool
	createdBefore time.Time
	managed       *bool
}

// tokenFilterModel is the filter in a configuration.
type tokenFilterModel struct {
	NameRegex     types.String `tfsdk:"name_regex"`
	Status        types.String `tfsdk:"status"`
	ExpiresWithin types.String `tfsdk:"expires_within"`
	UnusedFor     types.String `tfsdk:"unused_for"`
	NeverUsed     types.Bool   `tfsdk:"never_used"`
	CreatedBefore types.String `tfsdk:"created_before"`
	Managed       types.Bool   `tfsdk:"managed"`
}

// filter returns the filter of a configuration, which must have passed the validators.
func (m tokenFilterModel) filter() tokenFilter {
	f := tokenFilter{
		status:        m.Status.ValueString(),
		expiresWithin: duration(m.ExpiresWithin),
		unusedFor:     duration(m.UnusedFor),
		neverUsed:     m.NeverUsed.ValueBoolPointer(),
		managed:       m.Managed.ValueBoolPointer(),
		createdBefore: timeOf(m.CreatedBefore),
	}
	if expression, err := regexp.Compile(m.NameRegex.ValueString()); err == nil {
		f.name = expression
	}
	return f
}

// needsClock reports whether the filter depends on the current time.
func (f tokenFilter) needsClock() bool {
	return f.expiresWithin > 0 || f.unusedFor > 0 || f.status == "active" || f.status == "expired"
}

// match reports whether a token matches at now, PAIStrike's time.
func (f tokenFilter) match(t paistrike.Token, now time.Time) bool {
	switch {
	case f.name != nil && !f.name.MatchString(t.Name),
		f.status != "" && f.status != statusAt(t, now),
		f.expiresWithin > 0 && !expiresWithin(t, now, f.expiresWithin),
		f.unusedFor > 0 && lastSign(t).After(now.Add(-f.unusedFor)),
		f.neverUsed != nil && *f.neverUsed != t.LastUsedAt.IsZero(),
		!f.createdBefore.IsZero() && (t.CreatedAt.IsZero() || !t.CreatedAt.Before(f.createdBefore)),
		f.managed != nil && *f.managed != isManaged(t):
		return false
	}
	return true
}

// choose returns the matching tokens, ordered by name, then age, then ID.
func (f tokenFilter) choose(tokens []paistrike.Token, now time.Time) []paistrike.Token {
	chosen := []paistrike.Token{}
	for _, token := range tokens {
		if f.match(token, now) {
			chosen = append(chosen, token)
		}
	}
	slices.SortFunc(chosen, func(a, b paistrike.Token) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return chosen
}

// statusAt returns the status of a token, including "expired"; see [statusValue].
func statusAt(t paistrike.Token, now time.Time) string {
	return statusValue(t.Status, t.ExpiresAt, schedule.Clock{PAIStrike: now}).ValueString()
}

// expiresWithin reports whether a token works and expires within span of now, inclusive.
func expiresWithin(t paistrike.Token, now time.Time, span time.Duration) bool {
	return t.Usable(now) && !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now.Add(span))
}

// lastSign returns when the token was last used, or created if it was never used. If the
// server reports neither, the zero time counts as long ago.
func lastSign(t paistrike.Token) time.Time {
	if t.LastUsedAt.IsZero() {
		return t.CreatedAt
	}
	return t.LastUsedAt
}

// isManaged reports whether the name of a token shows that this provider or the action
// created it for an entry.
func isManaged(t paistrike.Token) bool {
	_, managed := rotation.ParseName(t.Name)
	return managed
}

// daysLeft returns the whole days until a token expires. It is negative after that, and
// null if the token never expires or the time is unknown.
func daysLeft(expires, now time.Time) types.Int64 {
	if expires.IsZero() || now.IsZero() {
		return types.Int64Null()
	}
	return types.Int64Value(int64(math.Floor(expires.Sub(now).Hours() / 24)))
}
