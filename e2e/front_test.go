package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// marks is appended to every secret. JSON, URLs and HTML escape these characters, so the
// tests also search for escaped forms.
const marks = `+/=&<"%\`

// front is a proxy for the sandbox. It records every secret returned, even if it never
// reaches a consumer, and can replace responses.
type front struct {
	next                     http.Handler
	managementID, management string

	mu     sync.Mutex
	minted []string

	// misanswer, if not nil, may answer a request instead. secret is the one in the request
	// or, for a create, the new one.
	misanswer func(w http.ResponseWriter, r *http.Request, secret string) bool
}

func newFront(server *sandbox.Server) *front {
	id, secret := server.Mint("Terraform", time.Time{})
	return &front{next: server, managementID: id, management: secret + marks}
}

// ServeHTTP forwards the request to the sandbox.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if bare, marked := strings.CutSuffix(bearer, marks); marked {
		r.Header.Set("Authorization", "Bearer "+bare)
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/api-tokens") {
		if f.misanswer == nil || !f.misanswer(w, r, bearer) {
			f.next.ServeHTTP(w, r)
		}
		return
	}
	got := httptest.NewRecorder()
	f.next.ServeHTTP(got, r)
	body, secret := f.mark(got.Body.Bytes())
	if secret != "" && f.misanswer != nil && f.misanswer(w, r, secret) {
		return
	}
	for name, values := range got.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(got.Code)
	_, _ = w.Write(body) //nolint:gosec // JSON, and no page shows it
}

// mark appends marks to the secret in the response to a create, and records it.
func (f *front) mark(body []byte) (answer []byte, secret string) {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return body, ""
	}
	bare, _ := fields["token"].(string)
	if bare == "" {
		return body, ""
	}
	secret = bare + marks
	fields["token"] = secret
	f.mu.Lock()
	f.minted = append(f.minted, secret)
	f.mu.Unlock()
	answer, err := json.Marshal(fields)
	if err != nil {
		return body, ""
	}
	return answer, secret
}

// secrets returns every token value so far.
func (f *front) secrets() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{f.management}, f.minted...)
}
