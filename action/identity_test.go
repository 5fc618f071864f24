package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// identityService is GitHub's OIDC endpoint. Each token can be used once.
type identityService struct {
	url, request string
	key          *ecdsa.PrivateKey
	now          func() time.Time

	mu      sync.Mutex
	issued  []string
	used    map[string]bool
	failing int // number of requests to answer with 503
}

func newIdentityService(t testing.TB, now func() time.Time) *identityService {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &identityService{request: "request-token-of-the-runner-4711", used: map[string]bool{}, key: key, now: now}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/token?api-version=2.0"
	return s
}

// ServeHTTP issues a token for the requested audience.
func (s *identityService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing > 0 {
		s.failing--
		http.Error(w, "a body that "+s.request+" nobody may see", http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.request || r.URL.Query().Get("audience") == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	now := s.now().Unix()
	token, err := s.sign(map[string]any{
		"iss": testparts.GitHubIssuer, "aud": r.URL.Query().Get("audience"), "sub": "repo:acme@42/app@7:environment:production", "repository_id": "7",
		"environment": "production", "job_workflow_ref": "acme/app/.github/workflows/scan.yml@refs/heads/main", "n": len(s.issued),
		"iat": now, "exp": now + 300,
	})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.issued = append(s.issued, token)
	_ = json.NewEncoder(w).Encode(map[string]any{"value": token})
}

func (s *identityService) use(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	good := slices.Contains(s.issued, token) && !s.used[token]
	s.used[token] = true
	return good
}

func (s *identityService) tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

// sign encodes claims as a JWT (RFC 7519) with ES256.
func (s *identityService) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "ES256", "kid": "k", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return text + "." + encode(signature[:]), nil
}

// keys returns the key set (RFC 7517) that verifies the tokens.
func (s *identityService) keys() (json.RawMessage, error) {
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return json.RawMessage(fmt.Sprintf(`{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":%q,"y":%q}]}`, encode(point[1:33]), encode(point[33:]))), nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
