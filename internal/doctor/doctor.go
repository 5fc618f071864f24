// Package doctor checks how a PAIStrike is configured. It creates, uses and revokes one
// token, and reports how each answer was understood, from which field, and which setting
// fixes a failure. It owns the order of the steps and the texts of the table;
// internal/paistrike talks to PAIStrike.
package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

const (
	// lifetime is the token's lifetime, for the case that it cannot be revoked.
	lifetime = 15 * time.Minute
	// cleanup limits the revocation, which a cancellation does not interrupt.
	cleanup = time.Minute
	// maxKept limits how much of an answer is searched for names of fields, in bytes.
	maxKept = 4 << 20
)

// Observed contains the observations of an examination. It contains no secret.
type Observed struct {
	Settings error // invalid settings; nothing was tried

	List   error
	Listed int

	Name     string // name sent in the create
	Mint     error
	Minted   paistrike.Token
	Asked    time.Time
	Created  map[string]string // fields of the create's answer, by fact
	Verify   error
	Again    error // error listing with the new token included
	ByName   bool
	ByID     bool
	Rows     map[string]string // fields of the token's row in the list, by fact
	Read     error
	Token    paistrike.Token // as read by ID
	Self     error
	SelfID   string
	Revoke   error
	After    error // error for the revoked token; nil if it still works
	LeftOver bool  // the token may still work
}

// Examine goes through the contract with the given settings. It revokes its token even if a
// step fails.
func Examine(ctx context.Context, cfg paistrike.Config) Observed {
	var o Observed
	wire := &recorder{next: cfg.Transport}
	if wire.next == nil {
		wire.next = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	}
	cfg.Transport = wire
	client, err := paistrike.New(cfg)
	if err != nil {
		o.Settings = err
		return o
	}
	tokens, err := client.List(ctx)
	if o.List, o.Listed = err, len(tokens); err != nil {
		return o // without a list, cleanup would be impossible
	}
	now, known := client.ServerTime()
	if !known {
		o.List = errors.New("the responses have no Date header, from which expiries are counted")
		return o
	}
	o.Asked = now.Add(lifetime)
	name := "paistrike-doctor-" + strings.ToLower(rand.Text()[:16])
	o.Name = name
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	minted, err := paistrike.MintOnce(whole, client, name, o.Asked)
	o.Created = cfg.Routes.Explain(wire.created())
	if err != nil {
		o.Mint = clean(err, cfg.Token)
		lost, unknown := errors.AsType[*paistrike.LostError](err)
		o.LeftOver = unknown && lost.MayExist
		return o
	}
	o.Minted = minted.Token
	own := client.As(minted.Secret)
	o.try(ctx, client, own, cfg.Routes, wire)
	o.end(ctx, client, own)
	for _, err := range []*error{&o.Verify, &o.Again, &o.Read, &o.Self, &o.Revoke, &o.After} {
		*err = clean(*err, cfg.Token, minted.Secret)
	}
	return o
}

// try checks the new token with each call.
func (o *Observed) try(ctx context.Context, client, own *paistrike.Client, routes paistrike.Routes, wire *recorder) {
	self, err := own.Self(ctx)
	o.Verify, o.SelfID = err, self.ID
	tokens, err := client.List(ctx)
	o.Again = err
	o.Rows = routes.Explain(wire.latest())
	for _, token := range tokens {
		o.ByName = o.ByName || token.Name == o.Minted.Name
		o.ByID = o.ByID || token.ID == o.Minted.ID
	}
	o.Token, o.Read = client.Get(ctx, o.Minted.ID)
	_, o.Self = client.Self(ctx)
}

// end revokes the token, as its issuer or, if that fails, with the token itself.
func (o *Observed) end(ctx context.Context, client, own *paistrike.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	o.Revoke = client.End(ctx, o.Minted.ID, paistrike.Sent(o.Name))
	if o.Revoke != nil {
		o.LeftOver = own.RevokeSelf(ctx) != nil
	}
	_, o.After = own.Self(ctx)
}

// clean redacts secrets in an error but preserves its type.
func clean(err error, secrets ...secret.Secret) error {
	if err == nil {
		return nil
	}
	return &cleanError{text: secret.NewRedactor(secrets...).Text(err.Error()), err: err}
}

type cleanError struct {
	text string
	err  error
}

func (e *cleanError) Error() string { return e.text }
func (e *cleanError) Unwrap() error { return e.err }

// recorder keeps the latest answer and the answer to the create in memory, only to look up
// the names of their fields.
type recorder struct {
	next http.RoundTripper

	mu           sync.Mutex
	last, create []byte
}

// RoundTrip forwards a request and records its answer.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	creates := req.Method == http.MethodPost && req.Body != nil && req.Body != http.NoBody
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var kept bytes.Buffer
	resp.Body = readCloser{io.TeeReader(resp.Body, &limited{&kept}), resp.Body, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.last = kept.Bytes()
		if creates {
			r.create = kept.Bytes()
		}
	}}
	return resp, nil
}

func (r *recorder) latest() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *recorder) created() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.create
}

type readCloser struct {
	io.Reader
	closer io.Closer
	done   func()
}

func (r readCloser) Close() error {
	r.done()
	return r.closer.Close()
}

// limited discards data beyond maxKept.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(maxKept-l.Len(), 0))])
	return len(p), nil
}
