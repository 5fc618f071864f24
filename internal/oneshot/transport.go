// Package oneshot sends requests that must not be sent twice. Each request uses its own
// connection, because net/http repeats a request if a kept-alive connection turns out to
// be dead. When such requests follow each other, the connection for the next one is dialed
// while one is sent, so that only the first ones wait for a handshake.
package oneshot

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// keepFor is how long a connection waits for its request. Servers wait longer for the
	// first request of a connection, so they do not close it just as it is used.
	keepFor = 5 * time.Second
	// dialBudget limits dialing in advance. If that fails, the request dials again.
	dialBudget = 10 * time.Second
)

// Transport is an [http.RoundTripper] that sends each request once. It is safe for
// concurrent use.
type Transport struct {
	base *http.Transport

	mu      sync.Mutex
	follows bool // a request has been sent, so another one may follow
	ready   []*connection
}

// connection was dialed in advance, or is being dialed.
type connection struct {
	to     string
	dialed chan struct{} // closed when dialing has ended
	conn   *http.ClientConn
	err    error
	expiry *time.Timer
}

// New returns a transport with the settings of like, which it does not change.
func New(like *http.Transport) *Transport {
	base := like.Clone()
	base.DisableKeepAlives = true
	if proxy := like.Proxy; proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			// A connection that is dialed in advance is requested without its port, but
			// NO_PROXY may name the port.
			if target, ok := r.Context().Value(targetKey{}).(*url.URL); ok {
				r = r.Clone(r.Context())
				r.URL = target
			}
			return proxy(r)
		}
	}
	return &Transport{base: base}
}

// targetKey is the context key of the URL that a connection is dialed for.
type targetKey struct{}

// RoundTrip sends a request once, on a connection that nothing else uses.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ahead := t.take(address(r.URL))
	t.dialNext(r.Context(), r.URL)
	if ahead == nil {
		return t.base.RoundTrip(r)
	}
	select {
	case <-ahead.dialed:
	case <-r.Context().Done():
		go ahead.close()
		return nil, r.Context().Err()
	}
	if ahead.err != nil || ahead.conn.Err() != nil {
		ahead.close()
		return t.base.RoundTrip(r)
	}
	response, err := ahead.conn.RoundTrip(r)
	if err != nil {
		ahead.close()
		return nil, err
	}
	response.Body = &lastBody{response.Body, ahead}
	return response, nil
}

// lastBody closes its connection when it is closed.
type lastBody struct {
	io.ReadCloser
	on *connection
}

func (b *lastBody) Close() error {
	err := b.ReadCloser.Close()
	b.on.close()
	return err
}

// take returns the newest connection to an address, or nil if there is none.
func (t *Transport) take(to string) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range slices.Backward(t.ready) {
		if c.to == to && c.expiry.Stop() {
			t.ready = slices.Delete(t.ready, i, i+1)
			return c
		}
	}
	return nil
}

// dialNext starts dialing for the next request, unless this is the first request: there
// may not be another.
func (t *Transport) dialNext(ctx context.Context, target *url.URL) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.follows {
		t.follows = true
		return
	}
	c := &connection{to: address(target), dialed: make(chan struct{})}
	c.expiry = time.AfterFunc(keepFor, func() {
		t.forget(c)
		c.close()
	})
	t.ready = append(t.ready, c)
	go func() {
		defer close(c.dialed)
		ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), targetKey{}, target), dialBudget)
		defer cancel()
		c.conn, c.err = t.base.NewClientConn(ctx, target.Scheme, c.to)
	}()
}

func (t *Transport) forget(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = slices.DeleteFunc(t.ready, func(other *connection) bool { return other == c })
}

// close closes a connection after it is dialed.
func (c *connection) close() {
	<-c.dialed
	if c.err == nil {
		_ = c.conn.Close()
	}
}

// address returns the host and port of a URL.
func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return u.Host + ":" + map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
