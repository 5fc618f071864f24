package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// maxBody is Vault's default limit for a request's body, in bytes.
const maxBody = 32 << 20

// server is the part of a Vault server that a KV client uses.
type server struct {
	specs   []mountSpec
	clock   loopback.Clock
	faults  loopback.Faults[fault, *fault]
	journal journal

	mu         sync.Mutex
	sealed     bool
	tokens     map[string]policy
	namespaces map[string]map[string]*engine // engines by namespace and path
}

func newServer(o options, root string) *server {
	s := &server{
		specs: o.mounts, clock: loopback.Clock{URL: o.clockURL},
		tokens: map[string]policy{root: nil}, namespaces: map[string]map[string]*engine{},
	}
	for _, token := range o.policyTokens {
		s.tokens[token.token] = token.rules
	}
	return s
}

// ServeHTTP serves control requests, and all others with faults.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopback.IsLocal(r.Host) {
		http.Error(w, "kv answers to loopback addresses only", http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/_kv/") {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		logical.RespondError(w, http.StatusRequestEntityTooLarge, errors.New("http: request body too large"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.date(w, r)
	call := call{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Namespace: namespaceOf(r)}
	s.serve(w, r, call)
}

func namespaceOf(r *http.Request) string { return strings.Trim(r.Header.Get("X-Vault-Namespace"), "/") }

// vault answers as Vault does.
func (s *server) vault(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok {
		logical.RespondError(w, http.StatusNotFound, nil)
		return
	}
	switch path {
	case "sys/health":
		s.health(w, r)
		return
	case "sys/seal-status":
		writeJSON(w, http.StatusOK, s.sealStatus())
		return
	case "sys/unseal":
		s.seal(false)
		writeJSON(w, http.StatusOK, s.sealStatus())
		return
	}
	if s.isSealed() {
		logical.RespondError(w, http.StatusServiceUnavailable, errors.New("Vault is sealed")) //nolint:staticcheck // Vault's own words
		return
	}
	who, ok := s.caller(r)
	if !ok {
		deny(w)
		return
	}
	if strings.HasPrefix(path, "sys/") || strings.HasPrefix(path, "auth/") {
		s.system(w, r, path, who)
		return
	}
	e, err := s.engine(r.Context(), namespaceOf(r), path)
	switch {
	case err != nil:
		logical.RespondError(w, http.StatusInternalServerError, err)
	case e == nil:
		logical.RespondError(w, http.StatusNotFound, fmt.Errorf("no handler for route %q. route entry not found.", path)) //nolint:staticcheck // Vault's own words
	default:
		e.serve(w, r, path, func(op logical.Operation) bool { return who.allows(op, path) })
	}
}

func deny(w http.ResponseWriter) {
	logical.RespondError(w, http.StatusForbidden, logical.ErrPermissionDenied)
}

// caller returns the policy of the request's token.
func (s *server) caller(r *http.Request) (policy, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, ok := s.tokens[tokenOf(r)]
	return rules, ok
}

func tokenOf(r *http.Request) string {
	if token := r.Header.Get("X-Vault-Token"); token != "" {
		return token
	}
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *server) isSealed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed
}

func (s *server) seal(sealed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = sealed
}

// engine returns the engine for a path, or nil if there is none.
func (s *server) engine(ctx context.Context, namespace, path string) (*engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	engines, err := s.engines(ctx, namespace)
	var best *engine
	for _, e := range engines {
		if strings.HasPrefix(path+"/", e.path+"/") && (best == nil || len(e.path) > len(best.path)) {
			best = e
		}
	}
	return best, err
}

// engines returns the engines of a namespace, which is created on first use. The caller holds
// the lock.
func (s *server) engines(ctx context.Context, namespace string) (map[string]*engine, error) {
	if engines, ok := s.namespaces[namespace]; ok {
		return engines, nil
	}
	engines := map[string]*engine{}
	for _, spec := range s.specs {
		e, err := newEngine(context.WithoutCancel(ctx), spec)
		if err != nil {
			return nil, err
		}
		engines[spec.path] = e
	}
	s.namespaces[namespace] = engines
	return engines, nil
}
