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

// marks end every secret here: characters that JSON, URLs and HTML write in
// another way, so that a search for escaped forms is put to the test.
const marks = `+/=&<"%\`

// front stands before the sandbox. It writes down every secret that it hands out,
// also those that no consumer ever gets, and may answer badly.
type front struct {
	next                     http.Handler
	managementID, management string

	mu     sync.Mutex
	minted []string

	// misanswer, if set, may answer a request instead. secret is the one
	// that the request brought or, for a create, the one just made.
	misanswer func(w http.ResponseWriter, r *http.Request, secret string) bool
}

func newFront(server *sandbox.Server) *front {
	id, secret := server.Mint("Terraform", time.Time{})
	return &front{next: server, managementID: id, management: secret + marks}
}

// ServeHTTP answers through the sandbox.
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

// mark lengthens the secret in the answer to a create, and keeps it.
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
