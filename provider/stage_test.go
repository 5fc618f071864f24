package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/provider"
)

const day = 24 * time.Hour

// monday is when every story begins.
func monday() time.Time { return time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC) }

// stage is the world of one story: a PAIStrike whose clock stands still until it is moved,
// and Vault's KV engine with the same time.
type stage struct {
	*testing.T
	paistrike *sandbox.Server
	apiURL    string
	vaultURL  string
	vaultRoot string
	env       map[string]string // the environment of the provider
	aws       *amazon           // nil unless the story has an AWS
	overAWS   bool              // the story uses AWS by default

	mu     sync.Mutex
	pauses []time.Duration // the pauses of the provider
	onCall atomic.Pointer[func(*http.Request)]
	worked map[string]bool // the secrets that worked before the step
	leaked string          // a token without an overlap
	named  string          // a token that a person revokes by its ID, whatever serves it
}

// newStage returns a stage for a parallel test.
func newStage(t *testing.T, options ...testparts.KVOption) *stage {
	t.Helper()
	t.Parallel()
	if cli.path == "" {
		t.Skip("NOT TESTED: there is no Terraform and no OpenTofu")
	}
	if !dealt(t) {
		leave(t, "told on other CLIs, the first of them included")
	}
	record(t, told)
	server, err := sandbox.New(sandbox.Options{Start: monday()})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, paistrike: server}
	api := httptest.NewServer(http.HandlerFunc(s.serveAPI))
	t.Cleanup(api.Close)
	t.Cleanup(func() { server.ClearFaults(); server.Release() })
	s.apiURL = api.URL
	s.vaultURL, s.vaultRoot = testparts.KV(t, append(options, testparts.WithClock(api.URL+"/_sandbox/clock"))...)
	_, management := server.Mint("Terraform", time.Time{})
	s.env = map[string]string{
		"PAISTRIKE_ENDPOINT": s.apiURL, "PAISTRIKE_API_TOKEN": management,
		"VAULT_ADDR": s.vaultURL, "VAULT_TOKEN": s.vaultRoot,
	}
	return s
}

// serveAPI is PAIStrike behind the guard.
func (s *stage) serveAPI(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/_sandbox/") {
		if do := s.onCall.Load(); do != nil {
			(*do)(r)
		}
		s.guard(r)
	}
	s.paistrike.ServeHTTP(w, r)
}

// whenCalled calls do before each request to PAIStrike. nil ends that.
func (s *stage) whenCalled(do func(*http.Request)) {
	if do == nil {
		s.onCall.Store(nil)
		return
	}
	s.onCall.Store(&do)
}

// providers returns the provider under test. Secrets come from the stage's environment and
// not from a configuration.
func (s *stage) providers() map[string]func() (tfprotov6.ProviderServer, error) {
	home := s.TempDir()
	return map[string]func() (tfprotov6.ProviderServer, error){
		"paistrike": providerserver.NewProtocol6WithError(provider.New("test",
			provider.WithGetenv(func(name string) string { return s.env[name] }),
			provider.WithHomeDir(func() (string, error) { return home, nil }),
			provider.WithSleep(s.pause),
			provider.WithNow(s.paistrike.Clock().Now),
		)()),
	}
}

func (s *stage) pause(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses = append(s.pauses, d)
	return ctx.Err()
}

// advance moves the clocks of both servers.
func (s *stage) advance(d time.Duration) { s.paistrike.Clock().Advance(d) }

// later returns a step's preparation that lets time pass.
func (s *stage) later(d time.Duration) func() { return func() { s.advance(d) } }

// at returns a step's preparation that moves the clocks to a moment such as "2026-01-11
// 03:17:00".
func (s *stage) at(moment string) func() {
	s.Helper()
	when, err := time.Parse(time.DateTime, moment)
	if err != nil {
		s.Fatal(err)
	}
	return func() { s.paistrike.Clock().Set(when) }
}

// tokens returns the tokens that work, oldest first.
func (s *stage) tokens() []sandbox.Token {
	var found []sandbox.Token
	now := s.paistrike.Clock().Now()
	for _, token := range s.paistrike.Tokens() {
		if token.Status == "active" && (token.ExpiresAt.IsZero() || now.Before(token.ExpiresAt)) {
			found = append([]sandbox.Token{token}, found...)
		}
	}
	return found
}

// live returns those that Terraform created.
func (s *stage) live() []sandbox.Token {
	return slices.DeleteFunc(s.tokens(), func(token sandbox.Token) bool { return token.IssuerID == "" })
}

// wantLive fails the test unless the given number of Terraform's tokens work.
func (s *stage) wantLive(want int) {
	s.Helper()
	if got := s.live(); len(got) != want {
		s.Errorf("%d tokens work, want %d: %v", len(got), want, names(got))
	}
}

func names(tokens []sandbox.Token) []string {
	var list []string
	for _, token := range tokens {
		list = append(list, token.ID+" "+token.Name)
	}
	return list
}

// call uses a secret as a pipeline does, and returns PAIStrike's status.
func (s *stage) call(secret string) int {
	s.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.apiURL+"/api/v1/api-tokens/self?"+byConsumer, nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := plainClient().Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// wantWorks fails the test unless PAIStrike accepts the secret, or refuses it if want is
// false.
func (s *stage) wantWorks(what, secret string, want bool) {
	s.Helper()
	if status := s.call(secret); (status == http.StatusOK) != want {
		s.Errorf("%s: PAIStrike answers %d; it should work: %t", what, status, want)
	}
}

func plainClient() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// minted returns the number of creates that PAIStrike carried out.
func (s *stage) minted() int {
	count := 0
	for _, token := range s.paistrike.Tokens() {
		if token.IssuerID != "" {
			count++
		}
	}
	return count
}

// apiCalls returns the provider's calls to PAIStrike, such as "GET /api-tokens".
func (s *stage) apiCalls() []string {
	var calls []string
	for _, call := range s.paistrike.Journal() {
		if call.Query != byConsumer+"=" && call.Query != byConsumer {
			calls = append(calls, fmt.Sprintf("%s %s", call.Method, strings.TrimPrefix(call.Path, "/api/v1")))
		}
	}
	return calls
}

// forgetCalls empties the journals.
func (s *stage) forgetCalls() {
	s.paistrike.ResetJournal()
	testparts.ForgetJournal(s.T, s.vaultURL)
	if s.aws != nil {
		s.aws.server.ForgetJournal()
	}
}

// count returns how many calls begin with the prefix.
func count(calls []string, prefix string) int {
	n := 0
	for _, call := range calls {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}

// wantCalls fails the test unless the given number of calls begin with the prefix.
func (s *stage) wantCalls(calls []string, prefix string, want int) {
	s.Helper()
	if got := count(calls, prefix); got != want {
		s.Errorf("%d calls %q, want %d, in:\n  %s", got, prefix, want, strings.Join(calls, "\n  "))
	}
}
