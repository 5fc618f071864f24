package sandbox

import "time"

// Token is one row of the sandbox's token list, with what only the sandbox
// knows. Times are UTC in whole seconds; a zero time means never or none.
type Token struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	// Status is active or revoked; an expired token reads active unless the policy says otherwise.
	Status    string    `json:"status,omitempty"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	// IssuerID is the token that minted this one by API; empty for one made by hand.
	IssuerID string `json:"issuer_id,omitempty"`
	// Uses counts the authenticated requests that this token made.
	Uses int `json:"uses"`
}

// record is a token as the store keeps it. Its Status is never set: it follows
// from the times, the clock and the policy.
type record struct {
	Token
	digest digest
	seeded bool
	// seq orders tokens by creation, which the clock cannot: it stands still, or goes back.
	seq uint64
	// The list shows the token from this request and this time on.
	listedAfter int
	listedFrom  time.Time
}

func (r *record) expired(now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}

func (r *record) revoked() bool { return !r.RevokedAt.IsZero() }

// usable reports whether the token opens anything at now.
func (r *record) usable(now time.Time) bool { return !r.revoked() && !r.expired(now) }

// dropped reports whether a revoked token is past the time for which it stays readable.
func (r *record) dropped(now time.Time, p Policy) bool {
	return r.revoked() && !now.Before(r.RevokedAt.Add(p.retain()))
}

// view is the token as it may be shown at now.
func (r *record) view(now time.Time, p Policy) Token {
	token := r.Token
	switch {
	case r.revoked():
		token.Status = statusRevoked
	case r.expired(now) && p.ExpiredStatus != "":
		token.Status = p.ExpiredStatus
	default:
		token.Status = statusActive
	}
	return token
}

// wireToken is a token in the words of the wire contract: the help page's five
// columns and the id, always present.
type wireToken struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Status     string     `json:"status"`
}

// wireCreated is the one answer that carries a secret.
type wireCreated struct {
	wireToken
	Secret string `json:"token"`
}

type wirePage struct {
	Items      []wireToken `json:"items"`
	NextCursor *string     `json:"next_cursor"`
}

func (t Token) wire() wireToken {
	return wireToken{
		ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, Status: t.Status,
		LastUsedAt: orNull(t.LastUsedAt), ExpiresAt: orNull(t.ExpiresAt),
	}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// wholeSecond is t as tokens keep it.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
