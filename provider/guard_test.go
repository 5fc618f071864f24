package provider_test

import (
	"net/http"
	"path"
	"strings"
)

// guard checks every request to PAIStrike before it is carried out. In every story, no
// token is revoked while the store serves it, unless a person revokes it by ID. No token
// is revoked before its overlap is over, unless it has leaked. A closed entry serves none.
func (s *stage) guard(r *http.Request) {
	dir, id := path.Split(r.URL.Path)
	if r.Method != http.MethodDelete || !strings.HasSuffix(dir, "/api-tokens/") {
		return
	}
	now := s.paistrike.Clock().Now()
	for _, at := range s.entries() {
		e := s.entry(at)
		if e.serves() == "" {
			continue // closed before its tokens are revoked
		}
		if e.serves() == id && id != s.named {
			s.Errorf("token %s is revoked while version %s of %s serves it", id, e.Revision, at)
		}
		for _, old := range e.record.Retiring {
			if old.ID == id && id != s.leaked && now.Before(old.RevokeAfter) {
				s.Errorf("token %s is revoked at %s, and its overlap lasts until %s", id, now, old.RevokeAfter)
			}
		}
	}
}

// served returns, for every data field that contains a token in an entry that serves one,
// whether the token works.
func (s *stage) served() map[string]bool {
	s.Helper()
	works := map[string]bool{}
	for _, at := range s.entries() {
		if e := s.entry(at); e.serves() != "" {
			for field, value := range e.Data {
				secret, _ := value.(string)
				if strings.HasPrefix(secret, "pstk_") {
					works[at+" "+field] = s.call(secret) == http.StatusOK
				}
			}
		}
	}
	return works
}
