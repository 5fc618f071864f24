package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultPrefix = "/api/v1"
	controlPrefix = "/_sandbox/"
)

// Options configures a sandbox. The zero value is a working configuration.
type Options struct {
	// Prefix is the API's path prefix; "" = "/api/v1", "/" = none.
	Prefix string
	// Now returns the real time; nil = the system clock.
	Now func() time.Time
	// Start, if not zero, is the time at which the sandbox clock is stopped until it is
	// moved.
	Start time.Time
	// Random is the source of IDs and secrets, so that tests are reproducible; nil =
	// crypto/rand.
	Random io.Reader
	// Policy is the initial policy.
	Policy Policy
	// Shape is the form of the API; nil = the wire contract.
	Shape *Shape
	// StateFile stores tokens (digests only) and the clock between runs; "" = memory only.
	StateFile string
	// AllowRemote accepts any Host header. By default only loopback names are accepted.
	AllowRemote bool
}

// Server is a PAIStrike sandbox. It is safe for concurrent use.
type Server struct {
	prefix      string
	start       time.Time
	startPolicy Policy
	allowRemote bool

	clock    *Clock
	store    *store
	journal  *journal
	faults   *faults
	holds    *holds
	state    *stateFile // nil = memory only
	api      http.Handler
	control  http.Handler
	page     http.Handler
	watch    *watch
	requests atomic.Uint64

	mu     sync.Mutex
	policy Policy
}

// New returns a sandbox and loads its state file if there is one. It returns an error if the
// prefix, the policy or the state file is invalid.
func New(o Options) (*Server, error) {
	prefix, err := cleanPrefix(o.Prefix)
	if err != nil {
		return nil, err
	}
	if err := o.Policy.check(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	now := o.Now
	if now == nil {
		now = time.Now //nolint:forbidigo // the one real clock
	}
	s := &Server{
		prefix:      prefix,
		start:       o.Start,
		startPolicy: o.Policy,
		policy:      o.Policy,
		allowRemote: o.AllowRemote,
		clock:       newClock(now, o.Start),
		store:       newStore(o.Random),
		journal:     &journal{scrub: newScrubber()},
		faults:      &faults{prefix: prefix},
		holds:       newHolds(),
	}
	s.api = (&api{prefix: prefix, store: s.store, now: s.clock.Now, policy: s.Policy}).handler()
	if o.Shape != nil {
		if err := o.Shape.check(); err != nil {
			return nil, err
		}
		s.api = &shaped{Shape: o.Shape, store: s.store, now: s.clock.Now, policy: s.Policy}
	}
	s.control = s.controlHandler()
	page := newPage(s.clock, s.store, s.Policy, now)
	s.page, s.watch = page.handler(), page.watch
	if o.StateFile != "" {
		s.state = &stateFile{path: o.StateFile}
		if err := s.state.load(s.store, s.clock, !o.Start.IsZero()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func cleanPrefix(prefix string) (string, error) {
	switch {
	case prefix == "":
		return defaultPrefix, nil
	case prefix == "/":
		return "", nil
	case !strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/") || strings.ContainsAny(prefix, "{} "):
		return "", errors.New("the prefix starts with a slash, does not end with one, and has no braces or spaces")
	}
	return prefix, nil
}

// ServeHTTP serves the API under the prefix, the control endpoints under /_sandbox/, and the
// page at / and under /_page/. Every answer has X-Request-Id, and a Date by the sandbox
// clock.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := "req_" + strconv.FormatUint(s.requests.Add(1), 10)
	w.Header().Set("X-Request-Id", requestID)
	w.Header().Set("Date", s.clock.Now().Format(http.TimeFormat))
	switch {
	case !s.allowRemote && !localHost(r.Host):
		refuseHost().write(w)
	case strings.HasPrefix(r.URL.Path, controlPrefix):
		s.saved(handle(s.control, r, requestID)).send(w)
	case isPage(r.URL.Path):
		s.saved(shown(s.page, r, requestID)).send(w)
	default:
		s.exchange(w, r, requestID)
	}
}

// Clock returns the sandbox's clock.
func (s *Server) Clock() *Clock { return s.clock }

// ShowStores adds the entries of these stores to the page. They are read while someone views
// the page.
func (s *Server) ShowStores(stores ...SecretStore) { s.watch.show(stores) }

// Mint creates a token as a user of the web page does: a management token, or a token that
// the provider does not manage. It applies no rules, so that tests can create any token. A
// zero expiresAt means never.
func (s *Server) Mint(name string, expiresAt time.Time) (id, secret string) {
	return s.store.insert(draft{Name: name, ExpiresAt: expiresAt}, s.clock.Now(), nil)
}

// Tokens returns all readable tokens, newest first.
func (s *Server) Tokens() []Token { return s.store.all(s.clock.Now(), s.Policy()) }

// Revoke revokes a token as a user of the web page does. It reports whether the token exists.
func (s *Server) Revoke(id string) bool { return s.store.revoke(id, s.clock.Now(), s.Policy()) }

// Forget removes a token: from now on its ID is answered with 404 and its secret with 401. It
// reports whether the token existed.
func (s *Server) Forget(id string) bool {
	return s.store.forget(func(r *record) bool { return r.ID == id })
}

// Journal returns the requests to the API so far, in the order in which they were answered.
func (s *Server) Journal() []Call { return s.journal.all() }

// ResetJournal empties the journal.
func (s *Server) ResetJournal() { s.journal.reset() }

// AddFaults appends faults to the queue. It panics on an invalid fault, because faults are
// written in the source of a test.
func (s *Server) AddFaults(list ...Fault) {
	for _, f := range list {
		if err := f.check(); err != nil {
			panic("sandbox: " + err.Error())
		}
	}
	s.faults.add(list...)
}

// ClearFaults removes all pending faults. Held requests stay held.
func (s *Server) ClearFaults() { s.faults.clear() }

// Release releases all held requests and returns their number. It returns after the late work
// is done.
func (s *Server) Release() int { return s.holds.release() }

// AwaitHeld blocks until at least n requests are held, or ctx ends.
func (s *Server) AwaitHeld(ctx context.Context, n int) error { return s.holds.await(ctx, n) }

// SetPolicy replaces the policy, from the next request on. It panics on an invalid policy.
func (s *Server) SetPolicy(p Policy) {
	if err := p.check(); err != nil {
		panic("sandbox: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy = p
}

// Policy returns the policy in force.
func (s *Server) Policy() Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy
}

// Reset releases held requests, restores the initial policy and clock, and removes faults,
// journal entries and all tokens created by API. Tokens created on the page are kept, because
// the environment still contains the management token.
func (s *Server) Reset() {
	s.faults.clear()
	s.holds.release()
	s.SetPolicy(s.startPolicy)
	s.clock.restore(savedClock{Still: s.start})
	s.store.forget(func(r *record) bool { return r.IssuerID != "" || r.seeded })
	s.journal.reset()
}

// Save writes the state file, if there is one. The server saves before it sends an answer, so
// only changes made by Go code need a call.
func (s *Server) Save() error {
	if s.state == nil {
		return nil
	}
	return s.state.save(s.store, s.clock)
}
