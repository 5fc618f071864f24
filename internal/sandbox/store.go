package sandbox

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// errNameTaken rejects a second usable token with the same name, if names must be unique.
var errNameTaken = errors.New("a usable token has this name")

// Reasons for rejecting a caller, which are codes of the wire contract.
const (
	refusedInvalid = "token_invalid"
	refusedRevoked = "token_revoked"
	refusedExpired = "token_expired"
)

// store contains the tokens. It knows nothing of HTTP, so that the API and the page share it.
// Callers pass the time and the policy.
type store struct {
	random   io.Reader // source of IDs and secrets
	mu       sync.Mutex
	records  []*record // in the order of creation
	byID     map[string]*record
	byDigest map[digest]*record
	seq      uint64
	requests int // authenticated requests so far, for the lag of the list
	windows  map[string]window
}

func newStore(random io.Reader) *store {
	s := &store{random: cmp.Or[io.Reader](random, rand.Reader), windows: map[string]window{}}
	s.clear()
	return s
}

func (s *store) clear() {
	s.records = nil
	s.byID = map[string]*record{}
	s.byDigest = map[digest]*record{}
}

// create creates a token that satisfies every rule. Otherwise it returns an [invalidError] or
// errNameTaken. issuer is nil for a token created on the page.
func (s *store) create(d draft, issuer *Token, now time.Time, p Policy) (Token, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := append(checkName(d.Name), checkExpiry(d.ExpiresAt, now, issuer, p)...)
	usable, taken := s.usable(d.Name, now)
	if p.MaxActive > 0 && usable >= p.MaxActive {
		faults = append(faults, fieldError{"", fieldLimitReached, "there are as many active tokens as there may be"})
	}
	if len(faults) > 0 {
		return Token{}, "", &invalidError{faults}
	}
	if p.UniqueNames && taken {
		return Token{}, "", errNameTaken
	}
	r, secret := s.add(d, now)
	if issuer != nil {
		r.IssuerID = issuer.ID
	}
	if p.ListLag > 0 {
		r.listedFrom = now.Add(p.ListLag)
	}
	if p.ListLagRequests > 0 {
		r.listedAfter = s.requests + p.ListLagRequests + 1
	}
	return r.view(now, p), secret, nil
}

// usable counts the tokens that are accepted at now, and reports whether one has this name.
func (s *store) usable(name string, now time.Time) (count int, taken bool) {
	for _, r := range s.records {
		if r.usable(now) {
			count++
			taken = taken || r.Name == name
		}
	}
	return count, taken
}

// insert creates a token without applying rules. shape may change it before it is visible.
func (s *store) insert(d draft, now time.Time, shape func(*record)) (id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, secret := s.add(d, now)
	if shape != nil {
		shape(r)
	}
	return r.ID, secret
}

func (s *store) add(d draft, now time.Time) (*record, string) {
	secret := newSecret(s.random)
	r := &record{Token: Token{ID: newID(s.random), Name: d.Name, CreatedAt: wholeSecond(now)}, digest: digestOf(secret)}
	if !d.ExpiresAt.IsZero() {
		r.ExpiresAt = wholeSecond(d.ExpiresAt)
	}
	s.seq++
	r.seq = s.seq
	s.index(r)
	return r, secret
}

func (s *store) index(r *record) {
	s.records = append(s.records, r)
	s.byID[r.ID] = r
	s.byDigest[r.digest] = r
}

// authenticate returns the token of the secret and records its use, or returns the reason for
// rejecting the caller, with the token if it is known. The lookup is by digest, so its
// duration reveals nothing about a secret.
func (s *store) authenticate(secret string, now time.Time, p Policy) (Token, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.byDigest[digestOf(secret)]
	switch {
	case !found || r.dropped(now, p):
		return Token{}, refusedInvalid
	case r.revoked():
		return r.view(now, p), refusedRevoked
	case r.expired(now):
		return r.view(now, p), refusedExpired
	}
	s.requests++
	r.Uses++
	if used := wholeSecond(now); r.LastUsedAt.IsZero() || used.Sub(r.LastUsedAt) >= p.LastUsedEvery {
		r.LastUsedAt = used
	}
	return r.view(now, p), ""
}

func (s *store) get(id string, now time.Time, p Policy) (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.byID[id]
	if !found || r.dropped(now, p) {
		return Token{}, false
	}
	return r.view(now, p), true
}

// all returns every readable token, newest first, regardless of lag and page size.
func (s *store) all(now time.Time, p Policy) []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens := make([]Token, 0, len(s.records))
	for _, r := range slices.Backward(s.records) {
		if !r.dropped(now, p) {
			tokens = append(tokens, r.view(now, p))
		}
	}
	return tokens
}

// page returns up to size tokens created before the one with the number before (0 = from the
// newest), and the number for the next page, or 0 on the last page. Numbers never change, so
// pages neither skip nor repeat tokens when others are added or removed.
func (s *store) page(before uint64, size int, now time.Time, p Policy) (tokens []Token, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint64
	for _, r := range slices.Backward(s.records) {
		lagging := s.requests < r.listedAfter || now.Before(r.listedFrom)
		if (before != 0 && r.seq >= before) || r.dropped(now, p) || lagging {
			continue
		}
		if len(tokens) == size {
			return tokens, last
		}
		tokens, last = append(tokens, r.view(now, p)), r.seq
	}
	return tokens, 0
}

// revoke revokes a token. Revoking it again has no effect. It reports whether the token
// exists.
func (s *store) revoke(id string, now time.Time, p Policy) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.byID[id]
	if !found || r.dropped(now, p) {
		return false
	}
	if !r.revoked() {
		r.RevokedAt = wholeSecond(now)
	}
	return true
}

// forget removes the chosen tokens entirely and reports whether there were any.
func (s *store) forget(chosen func(*record) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.records
	s.clear()
	for _, r := range all {
		if !chosen(r) {
			s.index(r)
		}
	}
	return len(s.records) < len(all)
}
