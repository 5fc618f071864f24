package paistrike

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Own identifies the token that a client calls with.
type Own struct {
	// Known is false if the server provides no way to find out.
	Known bool

	ids []string // the candidates
}

// May reports whether the ID is, or may be, that of the client's own token.
func (o Own) May(id string) bool { return slices.Contains(o.ids, id) }

// ID returns the ID of the client's own token, or "" if it is not certain.
func (o Own) ID() string {
	if len(o.ids) != 1 {
		return ""
	}
	return o.ids[0]
}

// ownToken caches the result of [Client.Own].
type ownToken struct {
	turn  chan struct{} // taken while the server is asked
	known bool
	own   Own

	mu    sync.Mutex
	since time.Time // when the first call began, by the server's clock
}

func newOwnToken() *ownToken { return &ownToken{turn: make(chan struct{}, 1)} }

// called records when the first call began: the Date of its response minus the time that
// it took, rounded down, because servers record the last use in whole seconds.
func (o *ownToken) called(date time.Time, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() && !date.IsZero() {
		o.since = date.Add(-took - time.Second)
	}
}

func (o *ownToken) began() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since
}

// MayBeOwn reports whether a token is, or may be, the one that the client uses.
func (c *Client) MayBeOwn(ctx context.Context, id string) (bool, error) {
	own, err := c.Own(ctx)
	if err != nil {
		return false, err
	}
	return own.May(id), nil
}

// Own finds out which token the client calls with: by the server's route for that, or else
// by the list, as the only token that was not last used before the client's first call. If
// there are several such tokens, each of them may be the client's own. The server is asked
// once, and concurrent callers share the result. An error is not cached.
func (c *Client) Own(ctx context.Context) (Own, error) {
	select {
	case c.own.turn <- struct{}{}:
		defer func() { <-c.own.turn }()
	case <-ctx.Done():
		return Own{}, ctx.Err()
	}
	if c.own.known {
		return c.own.own, nil
	}
	own, err := c.findOwn(ctx)
	if err == nil {
		c.own.own, c.own.known = own, true
	}
	return own, err
}

func (c *Client) findOwn(ctx context.Context) (Own, error) {
	self, err := c.Self(ctx)
	switch StatusOf(err) {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		err = nil // this server does not identify the caller
	}
	if err != nil {
		return Own{}, err
	}
	if self.ID != "" {
		return Own{Known: true, ids: []string{self.ID}}, nil
	}
	tokens, err := c.List(ctx)
	if err != nil {
		return Own{}, err
	}
	return ownAmong(tokens, c.own.began()), nil
}

// ownAmong finds the tokens that were used since the first call.
func ownAmong(tokens []Token, since time.Time) Own {
	var own Own
	if since.IsZero() {
		return own
	}
	for _, token := range tokens {
		if !token.Untold.Has(LastUsed) && token.Status != StatusRevoked && !token.LastUsedAt.IsZero() && !token.LastUsedAt.Before(since) {
			own.ids = append(own.ids, token.ID)
		}
	}
	own.Known = len(own.ids) > 0
	return own
}
