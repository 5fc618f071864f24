package main

import (
	"context"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// guard looks at every request to PAIStrike before it is done. Whatever a story is about, no
// token is revoked while Vault serves it: a consumer never reads a dead one.
func (s *servers) guard(r *http.Request) {
	dir, id := path.Split(r.URL.Path)
	if r.Method != http.MethodDelete || !strings.HasSuffix(dir, "/api-tokens/") || len(s.scheduled) == 0 || s.aws != nil {
		return
	}
	there, err := s.vault.store()
	if err != nil {
		s.dead = append(s.dead, err.Error())
		return
	}
	for _, at := range s.scheduled {
		found, err := there.Read(context.WithoutCancel(r.Context()), entry.Location{Mount: "secret", Path: at, Key: "token"})
		if err != nil || found.Record != nil && found.Record.State == entry.StateActive && found.Record.TokenID == id {
			s.dead = append(s.dead, at+" "+id)
		}
	}
}

// guarded fails the test if the guard saw what must not be.
func (s *servers) guarded(t testing.TB) {
	t.Helper()
	if len(s.dead) > 0 {
		t.Errorf("revoked while it was served: %v", s.dead)
	}
}
