// Package doctor tries out how a PAIStrike is configured: it goes through the life
// of one token and says what was understood of the answers, from which field, and
// which setting fixes what was not. It owns the order of the steps and the words
// of the table; talking to PAIStrike is left to internal/paistrike.
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
	// lifetime is how long the token of an examination lives if nobody can revoke it.
	lifetime = 15 * time.Minute
	// cleanup bounds the end of that token, which a cancel does not break off.
	cleanup = time.Minute
	// maxKept is how much of an answer is looked through for names of fields.
	maxKept = 4 << 20
)

// Observed is what an examination has seen. It holds no secret.
type Observed struct {
	Settings error // why nothing could be tried

	List   error
	Listed int

	Name     string // that was sent
	Mint     error
	Minted   paistrike.Token
	Asked    time.Time
	Created  map[string]string // the fields of the answer to the create, by fact
	Verify   error
	Again    error // listing with the new token in it
	ByName   bool
	ByID     bool
	Rows     map[string]string // the fields of a row of the list, by fact
	Read     error
	Token    paistrike.Token // as it was read by its id
	Self     error
	SelfID   string
	Revoke   error
	After    error // what the revoked token got; nil if it still works
	LeftOver bool  // it may still be live
}

// Examine goes through the contract with the settings. The token that it makes ends
// with it, whatever fails.
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
		return o // what cannot be listed cannot be cleaned up
	}
	now, known := client.ServerTime()
	if !known {
		o.List = errors.New("the answers carry no Date, from which expiries are counted")
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

// try looks at the new token from all sides.
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

// end revokes the token: as its issuer, else by its own word.
func (o *Observed) end(ctx context.Context, client, own *paistrike.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	o.Revoke = client.End(ctx, o.Minted.ID, paistrike.Sent(o.Name))
	if o.Revoke != nil {
		o.LeftOver = own.RevokeSelf(ctx) != nil
	}
	_, o.After = own.Self(ctx)
}

// clean takes the secrets out of an error, but keeps what kind it is.
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

// recorder keeps the latest answer and the answer to the create, in memory alone:
// the names of their fields are looked up, and nothing else.
type recorder struct {
	next http.RoundTripper

	mu           sync.Mutex
	last, create []byte
}

// RoundTrip passes a request on and keeps its answer.
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

// limited forgets what is beyond maxKept.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(maxKept-l.Len(), 0))])
	return len(p), nil
}
