package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// monday is the initial time of the sandbox clock. It is ahead of the machine's clock, so
// that an expiry in the future by one clock has not passed by the other.
var monday = time.Date(2090, time.January, 2, 9, 0, 0, 0, time.UTC)

// servers are the servers of a run: a PAIStrike, a Vault with a JWT login, and GitHub's
// identity service.
type servers struct {
	paistrike *testparts.Account
	api       string
	broker    string // the management token, which Vault contains
	vault     *vaultFront
	aws       *awsFront // nil unless a story uses AWS
	identity  *identityService

	// asked is called with the body of each create, before the create is done.
	asked func(body string)

	scheduled []string // entries that Terraform created in Vault
	dead      []string // violations that guard saw
}

func newServers(t testing.TB) *servers {
	t.Helper()
	account := testparts.NewAccount(t, "broker of the pipelines", monday)
	s := &servers{paistrike: account, broker: account.Management, identity: newIdentityService(t, account.Clock().Now)}
	s.api = account.Listen(t, http.HandlerFunc(s.serveAPI))
	t.Cleanup(func() { s.guarded(t) })
	s.vault = newVaultFront(t, s.identity, s.api, account.Clock().Now)
	s.vault.write(t, "ci/broker", map[string]any{"token": s.broker, "port": 7})
	return s
}

// serveAPI forwards requests to PAIStrike.
func (s *servers) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.guard(r)
	if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, "/_sandbox") && s.asked != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.asked(string(body))
	}
	s.paistrike.ServeHTTP(w, r)
}

// secrets returns everything that no log may show.
func (s *servers) secrets() []string {
	all := slices.Concat([]string{s.broker, s.identity.request}, s.paistrike.Secrets(), s.identity.tokens(), s.vault.tokens())
	if s.aws != nil {
		all = append(all, s.aws.secrets()...)
	}
	return all
}

// live returns the number of working tokens, without the management token.
func (s *servers) live() int { return len(s.paistrike.Usable()) }

// vaultFront is Vault's KV engine behind a JWT login. Until they are revoked, its tokens may
// read below ci/ or, for keepers, rotate there.
type vaultFront struct {
	url, engine, root string
	identity          *identityService
	proxy             http.Handler
	now               func() time.Time // PAIStrike's clock

	mu      sync.Mutex
	live    []string
	dead    []string
	keepers map[string]bool // live tokens that may rotate below ci/
	calls   []string        // "METHOD path"
	faults  []vaultFault
}

// vaultFault replaces the answers to the next requests that match.
type vaultFault struct {
	Path    string            `json:"path"` // glob below /v1/
	Count   int               `json:"count"`
	Status  int               `json:"status"`
	Errors  []string          `json:"errors"`
	Headers map[string]string `json:"headers"`
}

const (
	readerToken = "hvs-reader-behind-the-front"
	keeperToken = "hvs-keeper-behind-the-front"
)

func newVaultFront(t testing.TB, identity *identityService, clock string, now func() time.Time) *vaultFront {
	t.Helper()
	v := &vaultFront{identity: identity, now: now, live: []string{readerToken, keeperToken}, keepers: map[string]bool{keeperToken: true}}
	v.engine, v.root = testparts.KV(t, testparts.WithClock(clock+"/_sandbox/clock"), testparts.WithToken(readerToken, "secret/data/ci/*:read"),
		testparts.WithToken(keeperToken, "secret/data/ci/*:create,read,update;secret/metadata/ci/*:list,read,patch;secret/metadata/forbidden/*:read"))
	target, err := url.Parse(v.engine)
	if err != nil {
		t.Fatal(err)
	}
	v.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Date", now().Format(http.TimeFormat)) // both servers have the same clock
			return nil
		},
	}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

func (v *vaultFront) write(t testing.TB, path string, data map[string]any) {
	t.Helper()
	testparts.Ask(t, http.MethodPost, v.engine+"/v1/secret/data/"+path, v.root, map[string]any{"data": data}, nil)
}

// ServeHTTP handles logins and revocations, and forwards other requests to the engine.
func (v *vaultFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	below := strings.TrimPrefix(r.URL.Path, "/v1/")
	if fault, ok := v.take(r.Method, below); ok {
		for name, value := range fault.Headers {
			w.Header().Set(name, value)
		}
		refuse(w, fault.Status, fault.Errors...)
		return
	}
	token := r.Header.Get("X-Vault-Token")
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case below == "auth/jwt/login":
		v.login(w, r)
	case below == "sys/health": // needs no token
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"initialized":true,"server_time_utc":%d}`, v.now().Unix())
	case !slices.Contains(v.live, token):
		refuse(w, http.StatusForbidden, "permission denied")
	case below == "auth/token/revoke-self":
		v.live = slices.DeleteFunc(v.live, func(live string) bool { return live == token })
		v.dead = append(v.dead, token)
		w.WriteHeader(http.StatusNoContent)
	default:
		inner := readerToken
		if v.keepers[token] {
			inner = keeperToken
		}
		r.Header.Set("X-Vault-Token", inner)
		v.proxy.ServeHTTP(w, r)
	}
}

func (v *vaultFront) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Role, JWT string }
	if json.NewDecoder(r.Body).Decode(&in) != nil || !slices.Contains([]string{"ci", "keeper"}, in.Role) || !v.identity.use(in.JWT) {
		refuse(w, http.StatusBadRequest, "error validating token: used or unknown")
		return
	}
	token := fmt.Sprintf("hvs.CAESI-of-login-%04d-abcdefghijkl", len(v.live)+len(v.dead))
	v.live = append(v.live, token)
	v.keepers[token] = in.Role == "keeper"
	_, _ = io.WriteString(w, `{"auth":{"client_token":"`+token+`"}}`)
}

func (v *vaultFront) take(method, below string) (vaultFault, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls = append(v.calls, method+" "+below)
	for i, fault := range v.faults {
		if matched, _ := path.Match(fault.Path, below); !matched {
			continue
		}
		if v.faults[i].Count--; v.faults[i].Count == 0 {
			v.faults = slices.Delete(v.faults, i, i+1)
		}
		return fault, true
	}
	return vaultFault{}, false
}

func (v *vaultFront) tokens() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append(slices.Clone(v.live), v.dead...)
}

func (v *vaultFront) count(call string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, seen := range v.calls {
		if matched, _ := path.Match(call, seen); matched {
			n++
		}
	}
	return n
}

func refuse(w http.ResponseWriter, status int, errors ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string][]string{"errors": append([]string{}, errors...)})
}

// put writes an entry as root.
func (s *servers) put(path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.vault.engine+"/v1/secret/data/"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", s.vault.root)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("writing %s: %s", path, resp.Status)
	}
	return nil
}

// schedule creates a token and its record with a schedule, as Terraform does.
func (s *servers) schedule(path string, text schedule.Schedule) error {
	s.asked = nil
	client, err := paistrike.New(paistrike.Config{Endpoint: s.api, Token: secret.New(s.broker)})
	if err != nil {
		return err
	}
	at := entry.Location{Path: path}
	var there rotation.Store
	if s.aws != nil {
		there = s.aws.store()
	} else {
		at.Mount = "secret"
		if there, err = s.vault.store(); err != nil {
			return err
		}
	}
	s.scheduled = append(s.scheduled, path)
	policy, _ := text.Policy(time.Time{}) // the stories' schedules are valid
	_, err = rotation.New(rotation.PAIStrike{Client: client}, there).Run(context.Background(), rotation.Request{
		At: at, Label: "Integration " + path, Policy: policy, Schedule: text, Owner: "terraform", Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
	})
	return err
}

// store returns Vault as Terraform uses it.
func (v *vaultFront) store() (rotation.Store, error) {
	client, err := vault.New(vault.Config{
		Address: v.engine, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(v.root)},
		Identity: strings.TrimPrefix(v.url, "http://"), // the address that the program uses
	})
	if err != nil {
		return nil, err
	}
	return vault.NewStore(client), nil
}

// custom edits metadata manually.
func (s *servers) custom(path, key, value string) error {
	client, err := vault.New(vault.Config{
		Address: s.vault.engine, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(s.vault.root)},
		Identity: strings.TrimPrefix(s.vault.url, "http://"), // the address that the program uses
	})
	if err != nil {
		return err
	}
	return client.Patch(context.Background(), entry.Location{Mount: "secret", Path: path}, map[string]string{key: value})
}

// provision creates a token and its record, as Terraform does.
func (s *servers) provision(path string, life time.Duration) error {
	now := s.paistrike.Clock().Now()
	id, value := s.paistrike.Mint("CI/CD Pipeline", now.Add(life))
	s.paistrike.Keep(value)
	data, err := entry.EncodeRecord("token", entry.Record{
		State: entry.StateActive, Secret: secret.New(value), TokenID: id, TokenName: "CI/CD Pipeline",
		CreatedAt: now, ExpiresAt: now.Add(life), Slot: "0123456789ab", Inc: "abcdef", Gen: 1, Op: "01234567", VerifiedAt: now,
	})
	if err != nil {
		return err
	}
	if s.aws == nil {
		return s.put(path, map[string]any{"data": data})
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.aws.write(path, string(raw))
}
