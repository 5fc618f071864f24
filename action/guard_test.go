package main

import (
	"context"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// guard checks every request to PAIStrike in every story: no token is revoked while Vault
// serves it, so a consumer never reads a dead token.
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

// guarded fails the test if guard saw such a revocation.
func (s *servers) guarded(t testing.TB) {
	t.Helper()
	if len(s.dead) > 0 {
		t.Errorf("revoked while it was served: %v", s.dead)
	}
}
