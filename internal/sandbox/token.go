package sandbox

import "time"

// Token is one row of the sandbox's token list, with additional fields that only the sandbox
// knows. Times are UTC in whole seconds; a zero time means never or none.
type Token struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	// Status is active or revoked. An expired token is active unless the policy says
	// otherwise.
	Status    string    `json:"status,omitempty"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	// IssuerID is the token that minted this one by API. It is empty for a token created on
	// the page.
	IssuerID string `json:"issuer_id,omitempty"`
	// Uses counts the authenticated requests made with this token.
	Uses int `json:"uses"`
}

// record is a token in the store. Its Status is never set, because it follows from the times,
// the clock and the policy.
type record struct {
	Token
	digest digest
	seeded bool
	// seq orders tokens by creation. Creation times cannot, because the clock can be stopped
	// or set back.
	seq uint64
	// listedAfter and listedFrom are the request number and the time from which the list
	// contains the token.
	listedAfter int
	listedFrom  time.Time
}

func (r *record) expired(now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}

func (r *record) revoked() bool { return !r.RevokedAt.IsZero() }

// usable reports whether the token is accepted at now.
func (r *record) usable(now time.Time) bool { return !r.revoked() && !r.expired(now) }

// dropped reports whether a revoked token is past its retention.
func (r *record) dropped(now time.Time, p Policy) bool {
	return r.revoked() && !now.Before(r.RevokedAt.Add(p.retain()))
}

// view returns the token as it is presented at now.
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

// wireToken is a token in the wire contract: the help page's five columns and the ID, always
// present.
type wireToken struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Status     string     `json:"status"`
}

// wireCreated is the only answer that contains a secret.
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

// wholeSecond returns t with the resolution of stored times.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
