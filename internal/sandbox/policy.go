package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Values of [Policy.ExpiredStatus].
const (
	statusActive  = "active"
	statusRevoked = "revoked"
	statusExpired = "expired"
)

const (
	defaultRetain = 30 * 24 * time.Hour
	defaultLimit  = 50
	maxLimit      = 100
)

// Policy configures possible differences between vendors. The zero value is the wire
// contract: duplicate names are allowed, there are no limits, a token cannot mint one that
// outlives it, and revoked tokens stay readable for 30 days.
type Policy struct {
	// UniqueNames rejects a name that a usable token already has (409 name_conflict).
	UniqueNames bool `json:"unique_names"`
	// MaxActive limits the number of usable tokens (422 limit_reached); 0 = unlimited.
	MaxActive int `json:"max_active"`
	// MinLifetime and MaxLifetime bound the requested expiry (422 below_min, exceeds_max); 0
	// = unbounded. If MaxLifetime is set, "never" exceeds it.
	MinLifetime time.Duration `json:"min_lifetime"`
	MaxLifetime time.Duration `json:"max_lifetime"`
	// RequireExpiry rejects tokens that never expire (422 required).
	RequireExpiry bool `json:"require_expiry"`
	// DateOnly stores expiries with a resolution of one day. Dates without a time are
	// accepted, and a time within a day is rounded up to the next 00:00Z, so a 15-minute
	// token ends "tomorrow".
	DateOnly bool `json:"date_only"`
	// OutliveIssuer allows a token to mint one that expires later than itself, or never.
	OutliveIssuer bool `json:"outlive_issuer"`
	// NoMinting rejects every create by API (403 minting_not_allowed).
	NoMinting bool `json:"no_minting"`
	// Retain is how long a revoked token stays readable: 0 = 30 days, negative = not at all.
	// In JSON it is the effective duration: "720h" and "0s".
	Retain time.Duration `json:"retain"`
	// ListOnly removes GET by ID (405).
	ListOnly bool `json:"list_only"`
	// NoSelf removes the calls about the caller's own token: "self" is then an unknown ID.
	NoSelf bool `json:"no_self"`
	// MissingIs401 answers 401 token_invalid instead of 404 for an unknown ID.
	MissingIs401 bool `json:"missing_is_401"`
	// ExpiredStatus is the status reported for an expired token: active (also ""), expired or
	// revoked.
	ExpiredStatus string `json:"expired_status"`
	// LastUsedEvery is the resolution of last_used_at: it is updated at most once per this
	// duration.
	LastUsedEvery time.Duration `json:"last_used_every"`
	// RatePerMinute limits a token's requests per minute of the sandbox clock; 0 = unlimited.
	RatePerMinute int `json:"rate_per_minute"`
	// RateHeaders announces the remaining requests in every answer: structured, fields or x;
	// "" = not at all.
	RateHeaders string `json:"rate_headers"`
	// PageMax limits the page size, whatever limit is requested; 0 = 100.
	PageMax int `json:"page_max"`
	// ListLag keeps a new token out of the list for this long by the sandbox clock, and
	// ListLagRequests for this many authenticated requests after the one that created it.
	ListLag         time.Duration `json:"list_lag"`
	ListLagRequests int           `json:"list_lag_requests"`
}

func (p Policy) retain() time.Duration {
	switch {
	case p.Retain == 0:
		return defaultRetain
	case p.Retain < 0:
		return 0
	}
	return p.Retain
}

// pageSize returns the number of tokens per page for the requested limit.
func (p Policy) pageSize(limit int) int {
	if p.PageMax > 0 {
		return min(limit, p.PageMax)
	}
	return limit
}

// check returns an error for the first invalid setting.
func (p Policy) check() error {
	switch p.ExpiredStatus {
	case "", statusActive, statusExpired, statusRevoked:
	default:
		return fmt.Errorf("expired_status is active, expired or revoked, not %q", p.ExpiredStatus)
	}
	switch p.RateHeaders {
	case "", RateStructured, RateFields, RateX:
	default:
		return fmt.Errorf("rate_headers is structured, fields or x, not %q", p.RateHeaders)
	}
	for name, n := range map[string]int64{
		"max_active": int64(p.MaxActive), "rate_per_minute": int64(p.RatePerMinute), "page_max": int64(p.PageMax),
		"min_lifetime": int64(p.MinLifetime), "max_lifetime": int64(p.MaxLifetime), "last_used_every": int64(p.LastUsedEvery),
		"list_lag": int64(p.ListLag), "list_lag_requests": int64(p.ListLagRequests),
	} {
		if n < 0 {
			return fmt.Errorf("%s cannot be negative", name)
		}
	}
	return nil
}

// policyJSON encodes the durations of a policy as text. Its fields shadow the embedded fields
// of the same name.
type policyJSON struct {
	*plainPolicy
	MinLifetime   *textDuration `json:"min_lifetime"`
	MaxLifetime   *textDuration `json:"max_lifetime"`
	Retain        *textDuration `json:"retain"`
	LastUsedEvery *textDuration `json:"last_used_every"`
	ListLag       *textDuration `json:"list_lag"`
}

type plainPolicy Policy

func (p *Policy) asJSON() policyJSON {
	return policyJSON{
		plainPolicy:   (*plainPolicy)(p),
		MinLifetime:   (*textDuration)(&p.MinLifetime),
		MaxLifetime:   (*textDuration)(&p.MaxLifetime),
		Retain:        (*textDuration)(&p.Retain),
		LastUsedEvery: (*textDuration)(&p.LastUsedEvery),
		ListLag:       (*textDuration)(&p.ListLag),
	}
}

// MarshalJSON encodes durations as text and Retain as its effective value.
func (p Policy) MarshalJSON() ([]byte, error) {
	p.Retain = p.retain()
	return json.Marshal(p.asJSON())
}

// UnmarshalJSON changes only the fields that data contains, and rejects unknown ones.
func (p *Policy) UnmarshalJSON(data []byte) error {
	changed := *p
	changed.Retain = p.retain()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	view := changed.asJSON()
	if err := decoder.Decode(&view); err != nil {
		return fmt.Errorf("reading a policy: %w", err)
	}
	if changed.Retain <= 0 {
		changed.Retain = -1
	}
	if err := changed.check(); err != nil {
		return err
	}
	*p = changed
	return nil
}
