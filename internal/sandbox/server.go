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

// Options say how a sandbox starts. The zero value is a good sandbox.
type Options struct {
	// Prefix is the path before the contract's own; "" = "/api/v1", "/" = none.
	Prefix string
	// Now is the real clock; nil = the machine's.
	Now func() time.Time
	// Start, if set, is where the sandbox clock starts and stands still until it is moved.
	Start time.Time
	// Random is where ids and secrets come from, so that a test can repeat itself; nil =
	// crypto/rand.
	Random io.Reader
	// Policy is what the vendor does differently.
	Policy Policy
	// Shape is the form of the API; nil = the wire contract under Prefix.
	Shape *Shape
	// StateFile keeps tokens (digests only) and the clock between runs; "" = memory only.
	StateFile string
	// AllowRemote answers requests for any Host. Without it only loopback names are answered.
	AllowRemote bool
}

// Server is a PAIStrike sandbox. It is safe for use by many at once.
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

// New makes a sandbox, and reads its state file if there is one. It fails on a
// prefix, policy or state file that cannot be used.
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

// ServeHTTP serves the contract under the prefix, the control endpoints under
// /_sandbox/, and the page at / and under /_page/. Every answer has X-Request-Id, and Date by the sandbox clock.
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

// Clock returns the sandbox's clock, to read or to move.
func (s *Server) Clock() *Clock { return s.clock }

// ShowStores lets the page show the entries of these stores beside the tokens. It
// reads them while someone looks at the page.
func (s *Server) ShowStores(stores ...SecretStore) { s.watch.show(stores) }

// Mint makes a token as someone does by hand in the web page: a management
// token, or one that nothing here provisioned. It asks no rule, so that any
// token can be set up. A zero expiresAt means never.
func (s *Server) Mint(name string, expiresAt time.Time) (id, secret string) {
	return s.store.insert(draft{Name: name, ExpiresAt: expiresAt}, s.clock.Now(), nil)
}

// Tokens returns every token that can be read, newest first.
func (s *Server) Tokens() []Token { return s.store.all(s.clock.Now(), s.Policy()) }

// Revoke ends a token as someone does in the web page. It reports whether there is such a token.
func (s *Server) Revoke(id string) bool { return s.store.revoke(id, s.clock.Now(), s.Policy()) }

// Forget removes a token's record: it answers 404 from now on, and its secret
// 401. It reports whether there was such a token.
func (s *Server) Forget(id string) bool {
	return s.store.forget(func(r *record) bool { return r.ID == id })
}

// Journal returns the requests to the API so far, in the order in which they were answered.
func (s *Server) Journal() []Call { return s.journal.all() }

// ResetJournal empties the journal.
func (s *Server) ResetJournal() { s.journal.reset() }

// AddFaults queues faults behind those that are there. It panics on one that
// could never work, as it stands in a test's own text.
func (s *Server) AddFaults(list ...Fault) {
	for _, f := range list {
		if err := f.check(); err != nil {
			panic("sandbox: " + err.Error())
		}
	}
	s.faults.add(list...)
}

// ClearFaults drops the faults that are left. What is held stays held.
func (s *Server) ClearFaults() { s.faults.clear() }

// Release lets every held request go and returns how many there were. Work that
// was to land late is done when it returns.
func (s *Server) Release() int { return s.holds.release() }

// AwaitHeld blocks until at least n requests are held, or ctx ends.
func (s *Server) AwaitHeld(ctx context.Context, n int) error { return s.holds.await(ctx, n) }

// SetPolicy changes what the vendor does differently, from the next request on.
// It panics on a policy that could never work.
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

// Reset releases what is held, puts policy and clock back to where they started,
// and drops faults, journal and tokens; tokens made by hand stay, or the
// management token that the environment holds would be dead.
func (s *Server) Reset() {
	s.faults.clear()
	s.holds.release()
	s.SetPolicy(s.startPolicy)
	s.clock.restore(savedClock{Still: s.start})
	s.store.forget(func(r *record) bool { return r.IssuerID != "" || r.seeded })
	s.journal.reset()
}

// Save writes the state file, if there is one. Every answer does so before it is
// sent; only what Go code changed last needs it.
func (s *Server) Save() error {
	if s.state == nil {
		return nil
	}
	return s.state.save(s.store, s.clock)
}
