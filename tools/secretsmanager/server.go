package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// maxBody is the service's limit for a request's body, in bytes. It has room for a
// base64-encoded value and the maximum of everything else.
const maxBody = 1 << 20

// server implements Secrets Manager and STS for one account.
type server struct {
	clock      clock
	identities *identities
	store      store
	quotas     quotas
	faults     loopback.Faults[fault, *fault]
	journal    journal
	settings   atomic.Pointer[settings]
}

func newServer(o options, admin user) (*server, error) {
	s := &server{clock: clock{base: loopback.Clock{URL: o.clockURL}}}
	s.settings.Store(&o.settings)
	var err error
	s.identities, err = newIdentities(o.iam, admin)
	return s, err
}

// ServeHTTP serves control requests, and all others with faults.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopback.IsLocal(r.Host) {
		http.Error(w, "secretsmanager answers to loopback addresses only", http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/_aws/") {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
		return
	}
	now, err := s.clock.now(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	q := readRequest(r, body, s.identities.account)
	e := s.event(q, now)
	a, ok := s.serve(r.Context(), q, func() answer { return s.answer(q, now) })
	if ok {
		e.Status, e.ErrorCode, e.ErrorMessage = a.status, a.kind, a.message
	}
	s.journal.add(e)
	if !ok {
		panic(http.ErrAbortHandler) // closes the connection
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("X-Amzn-Requestid", q.id)
	w.Header().Set("Date", now.Format(http.TimeFormat))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// answer authorizes and performs a request.
func (s *server) answer(q *request, now time.Time) answer {
	out, err := s.work(q, now)
	if err != nil {
		return q.refused(err)
	}
	return q.done(out)
}

func (s *server) work(q *request, now time.Time) (any, error) {
	if q.http.Method != http.MethodPost || q.http.URL.Path != "/" && q.http.URL.Path != "" {
		return nil, refuse(unknownOperation, "The operation is not known: %s %s", q.http.Method, q.http.URL.Path)
	}
	var who *principal
	if !unsignedOperation(q) {
		var err error
		if who, err = s.authenticate(q, now); err != nil {
			return nil, err
		}
	}
	if q.service == tokenService {
		return s.sts(q.operation, q.form, who, now)
	}
	operation, known := operations[q.operation]
	if !known {
		return nil, refuse(unknownOperation, "The operation is not known: %s", q.operation)
	}
	set := s.settings.Load()
	if set.Quotas && !s.quotas.take(q.signature.region, q.operation, now) {
		return nil, refuse(throttling, "Rate exceeded")
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	region := s.store.region(place{account: s.identities.account, region: q.signature.region})
	region.expire(now)
	return operation(&session{region: region, who: who, now: now, lag: time.Duration(set.ListLag)}, q.body)
}

// authenticate returns the caller who signed a request.
func (s *server) authenticate(q *request, now time.Time) (*principal, error) {
	if q.unsigned != nil {
		return nil, q.unsigned
	}
	who, err := s.identities.find(q.signature.accessKeyID, q.http.Header.Get("X-Amz-Security-Token"), now)
	if f, ok := errors.AsType[*failure](err); ok && f.kind == expiredCredential && q.service == tokenService {
		return nil, refuse("ExpiredToken", "The security token included in the request is expired")
	}
	if err != nil {
		return nil, err
	}
	return who, q.signature.verify(q.http, q.body, who.secretKey, q.service, now)
}

// event starts the journal entry of a request.
func (s *server) event(q *request, now time.Time) event {
	e := event{
		EventTime: now, EventSource: q.service + ".amazonaws.com", EventName: q.operation, AWSRegion: q.signature.region,
		UserIdentity: identity{Type: "Unknown"}, RequestParameters: parameters(q.members), RequestID: q.id,
		Secret: q.secret,
	}
	if unsignedOperation(q) {
		e.UserIdentity.Type = "WebIdentityUser"
	} else if who := s.identities.lookup(q.signature.accessKeyID); who != nil {
		e.UserIdentity = who.identity
	}
	return e
}
