package paistrike

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Own says which token a client calls as.
type Own struct {
	// Known is false if the server has no way to tell.
	Known bool

	ids []string // what it may be
}

// May reports whether the id is the client's own token, or may be.
func (o Own) May(id string) bool { return slices.Contains(o.ids, id) }

// ID returns the id of the client's own token, "" if it is not certain.
func (o Own) ID() string {
	if len(o.ids) != 1 {
		return ""
	}
	return o.ids[0]
}

// ownToken is the answer to [Client.Own], once there is one.
type ownToken struct {
	turn  chan struct{} // held while the server is asked
	known bool
	own   Own

	mu    sync.Mutex
	since time.Time // when the first call began, by the server's clock
}

func newOwnToken() *ownToken { return &ownToken{turn: make(chan struct{}, 1)} }

// called notes when the first call began: its answer's Date less the time that it
// took, rounded down, because servers count last use in whole seconds.
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

// Own finds out which token the client calls as: by the server's route for that,
// or, if it has none, by the list, as the only token whose last use is not before
// the client's first call. If there are several, it may be any of them. The server
// is asked once; callers at the same time share its answer. An error is not kept.
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
		err = nil // this server does not say who asks
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

// ownAmong looks for the token that was used since the first call.
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
