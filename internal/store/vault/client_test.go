package vault_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*vault.Config)
		want   string
	}{
		{"no address", func(c *vault.Config) { c.Address = "" }, "address is missing"},
		{"no scheme", func(c *vault.Config) { c.Address = "vault.example.com:8200" }, "https://"},
		{"another scheme", func(c *vault.Config) { c.Address = "unix:///run/vault.sock" }, "https://"},
		{"no host", func(c *vault.Config) { c.Address = "https://" }, "no host"},
		{"a password in the address", func(c *vault.Config) { c.Address = "https://ann:s3cret@vault.example.com" }, "user name"},
		{"no URL", func(c *vault.Config) { c.Address = "https://ann:s3cret@vault example" }, "not a URL"},
		{"a query", func(c *vault.Config) { c.Address = "https://vault.example.com?x=y" }, "query"},
		{"a token as a header", func(c *vault.Config) { c.Headers = map[string]string{"x-vault-token": "s3cret"} }, "x-vault-token"},
		{"half a client certificate", func(c *vault.Config) { c.ClientKeyPEM = "s3cret" }, "go together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := vault.Config{Address: "https://vault.example.com", Login: vault.Login{Method: "token", Token: hidden("t")}}
			test.change(&config)
			_, err := vault.New(config)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestEveryRequestCarries(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 200, listed) })
	c := client(t, f.URL+"/behind/proxy/", func(c *vault.Config) {
		c.Headers = map[string]string{"CF-Access-Client-Id": "id"}
		c.UserAgent = "paistrike/1.2"
		c.Namespace = "/admin/team/"
	})
	if _, err := c.List(t.Context(), "", "/kv/", "/ci/"); err != nil {
		t.Fatal(err)
	}
	got := f.last(t)
	want := seen{Method: "GET", Path: "/behind/proxy/v1/kv/metadata/ci", Query: "list=true", Token: "t", Namespace: "admin/team", UserAgent: "paistrike/1.2"}
	if got.Header.Get("CF-Access-Client-Id") != "id" || got.Header.Get("X-Vault-Request") != "true" {
		t.Errorf("headers %v", got.Header)
	}
	got.Header = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestPathsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ seen) { say(w, 404, `{"errors":[]}`) })
	c := client(t, f.URL)
	for _, path := range []string{"a/../../sys/seal", "a//b", "..", ".", "", "a\nb"} {
		if _, err := c.Metadata(t.Context(), at(path)); err == nil {
			t.Errorf("%q was sent", path)
		}
		if _, err := c.Publish(t.Context(), at(path), 0, record("s", 0)); err == nil {
			t.Errorf("%q was written", path)
		}
	}
	if calls := f.requests(); len(calls) != 0 {
		t.Errorf("requests %v", calls)
	}
	for _, path := range []string{"a b", "100%/x", "q?list=true#f", "ü", "%2e%2e"} {
		if _, err := c.Metadata(t.Context(), at(path)); err != nil {
			t.Fatal(err)
		}
		if got := f.last(t); got.Path != "secret/metadata/"+path || got.Query != "" {
			t.Errorf("%q became %q, query %q", path, got.Path, got.Query)
		}
	}
}

func TestPatchBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { w.WriteHeader(http.StatusNoContent) })
	err := client(t, f.URL).Patch(t.Context(), at("x"), map[string]string{"keep": "this", "drop": ""})
	if err != nil {
		t.Fatal(err)
	}
	got := f.last(t)
	if got.Method != "PATCH" || got.Path != "secret/metadata/x" || got.ContentType != "application/merge-patch+json" {
		t.Errorf("request %+v", got)
	}
	if want := `{"custom_metadata":{"drop":null,"keep":"this"}}`; got.Body != want {
		t.Errorf("body %s\nwant %s", got.Body, want)
	}
}

func TestPublishBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
		say(w, 200, `{"data":{"version":13,"deletion_time":"2026-06-01T00:00:00.5Z"}}`)
	})
	got, err := client(t, f.URL).Publish(t.Context(), at("x"), 12, record("pstk_1", 12))
	want := vault.Published{Version: 13, DeletionTime: time.Date(2026, 6, 1, 0, 0, 0, 5e8, time.UTC)}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	body := fromJSON(t, f.last(t).Body)
	if diff := cmp.Diff(map[string]any{"cas": 12.0}, body["options"]); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if data, _ := body["data"].(map[string]any); data["token"] != "pstk_1" {
		t.Errorf("the secret is not in its field, of %d", len(data))
	}
	if _, err := client(t, f.URL).Publish(t.Context(), at("x"), 12, entry.Record{}); err == nil || len(f.requests()) != 1 {
		t.Errorf("an empty record: %v, requests %v", err, f.requests())
	}
}

func TestMount(t *testing.T) {
	t.Parallel()
	const info = `{"data":{"path":"secret/","uuid":"u-1","type":"kv","options":{"version":"2"}}}`
	for _, test := range []struct {
		name, info, config string
		status             int // of the mount's settings
		want               vault.Mount
		bad                bool
		requests           int
	}{
		{name: "v2", info: info, config: `{"data":{"delete_version_after":"0s","max_versions":0}}`, status: 200, want: vault.Mount{UUID: "u-1", KVVersion: 2}, requests: 2},
		{name: "v2 that deletes", info: info, config: `{"data":{"delete_version_after":"3h25m19s"}}`, status: 200, want: vault.Mount{UUID: "u-1", KVVersion: 2, DeleteVersionAfter: 3*time.Hour + 25*time.Minute + 19*time.Second}, requests: 2},
		{name: "v2 whose settings are closed", info: info, config: `{"errors":["permission denied"]}`, status: 403, want: vault.Mount{UUID: "u-1", KVVersion: 2}, requests: 2},
		{name: "v2 that is being upgraded", info: info, config: `{"errors":["Upgrading from non-versioned to versioned data."]}`, status: 400, bad: true, requests: 4},
		{name: "v1", info: `{"data":{"path":"secret/","uuid":"u-1","type":"kv","options":{"version":"1"}}}`, want: vault.Mount{UUID: "u-1", KVVersion: 1}, requests: 1},
		{name: "v1 without options", info: `{"data":{"path":"secret/","uuid":"u-1","type":"kv","options":null}}`, want: vault.Mount{UUID: "u-1", KVVersion: 1}, requests: 1},
		{name: "no KV", info: `{"data":{"path":"secret/","uuid":"u-1","type":"transit","options":null}}`, want: vault.Mount{UUID: "u-1"}, requests: 1},
		{name: "a path below the mount", info: `{"data":{"path":"sec/","uuid":"u-1","type":"kv"}}`, bad: true, requests: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				switch call.Path {
				case "sys/internal/ui/mounts/secret":
					say(w, 200, test.info)
				case "secret/config":
					say(w, test.status, test.config)
				}
			})
			got, err := client(t, f.URL).Mount(t.Context(), "", "secret/")
			if (err != nil) != test.bad || err == nil && got != test.want {
				t.Errorf("%+v, %v", got, err)
			}
			if calls := f.requests(); len(calls) != test.requests {
				t.Errorf("requests %v", calls)
			}
		})
	}
	t.Run("is asked once for each namespace", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
			say(w, 200, `{"data":{"path":"secret/","uuid":"u-1","type":"kv"}}`)
		})
		c := client(t, f.URL, func(c *vault.Config) { c.Namespace = "team" })
		var group sync.WaitGroup
		for range 8 {
			for _, namespace := range []string{"", "team/", "other"} {
				group.Go(func() {
					if _, err := c.Mount(t.Context(), namespace, "secret"); err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		if calls := f.requests(); len(calls) != 2 {
			t.Errorf("requests %v", calls)
		}
	})
	t.Run("closed settings are no reason to log in again", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
			switch call.Path {
			case "auth/approle/login":
				say(w, 200, `{"auth":{"client_token":"1"}}`)
			case "secret/config":
				forbid(w)
			default:
				say(w, 200, info)
			}
		})
		if _, err := loggingIn(t, f).Mount(t.Context(), "", "secret"); err != nil || len(f.requests()) != 3 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
}

func TestDeletionAheadIsJudgedByVaultsClock(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, date string
		want       entry.Condition
	}{
		{"it lies ahead", "Fri, 01 May 2026 11:59:58 GMT", entry.Live},
		{"it is this second", "Fri, 01 May 2026 12:00:00 GMT", entry.Deleted},
		{"it is past", "Fri, 01 May 2026 13:00:00 GMT", entry.Deleted},
		{"nobody can tell", "noon", entry.Deleted},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
				w.Header().Set("Date", test.date)
				say(w, 200, `{"data":{"current_version":2,"versions":{"2":{"deletion_time":"2026-05-01T12:00:00.7Z"},"1":{"destroyed":true}}}}`)
			})
			m, err := client(t, f.URL).Metadata(t.Context(), at("x"))
			if err != nil || m.Condition != test.want || (len(m.Versions) == 1) != (test.want == entry.Live) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
		say(w, 200, `{"data":{"secret/data/x":["create","update"],"secret/metadata/x":["deny"],"capabilities":["deny"]},"secret/data/x":["create","update"]}`)
	})
	got, err := client(t, f.URL).Capabilities(t.Context(), "team", "secret/data/x", "secret/metadata/x")
	want := map[string][]string{"secret/data/x": {"create", "update"}, "secret/metadata/x": {"deny"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	call := f.last(t)
	if call.Method+" "+call.Path != "POST sys/capabilities-self" || call.Body != `{"paths":["secret/data/x","secret/metadata/x"]}` || call.Namespace != "team" {
		t.Errorf("request %+v", call)
	}
	if _, err := client(t, f.URL).Capabilities(t.Context(), "", "elsewhere"); err == nil {
		t.Error("an answer without the path passed")
	}
}

func TestTokenLife(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		status     int
		want       vault.TokenLife
		bad        bool
	}{
		{"an hour", `{"data":{"ttl":3600,"expire_time":"2026-05-01T13:00:00Z"}}`, 200, vault.TokenLife{TTL: time.Hour}, false},
		{"for ever", `{"data":{"ttl":0,"expire_time":null,"num_uses":0}}`, 200, vault.TokenLife{}, false},
		{"the last moment", `{"data":{"ttl":0,"expire_time":"2026-05-01T12:00:00.3Z"}}`, 200, vault.TokenLife{TTL: 1}, false},
		{"eight calls", `{"data":{"ttl":3600,"expire_time":"2026-05-01T13:00:00Z","num_uses":8}}`, 200, vault.TokenLife{TTL: time.Hour, Uses: 8}, false},
		{"not to be known", `{"errors":["permission denied"]}`, 403, vault.TokenLife{}, false},
		{"a dead token", `{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}`, 403, vault.TokenLife{}, true},
		{"its last use", `{"errors":["invalid token"]}`, 400, vault.TokenLife{}, true},
		{"no answer", `{}`, 500, vault.TokenLife{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, test.status, test.body) })
			c := client(t, f.URL, func(c *vault.Config) { c.MaxRetries = -1 })
			for range 2 {
				got, err := c.TokenLife(t.Context())
				if got != test.want || (err != nil) != test.bad {
					t.Errorf("%+v, %v", got, err)
				}
			}
			if n := len(f.requests()); !test.bad && (n == 1) != (test.want.Uses == 0) {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestReadsWaitForOurOwnWrites(t *testing.T) {
	t.Parallel()
	// The position of the storage, as Vault Enterprise reports it.
	const state = "djE6YWJjOjE6MjowMDAw" // v1:abc:1:2:0000
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
		w.Header().Set("X-Vault-Index", state)
		say(w, 200, `{"data":{"version":1}}`)
	})
	c := client(t, f.URL)
	if _, err := c.Publish(t.Context(), at("x"), 0, record("s", 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Metadata(t.Context(), at("x")); err != nil {
		t.Fatal(err)
	}
	if got := f.last(t).VaultIndex; got != state {
		t.Errorf("X-Vault-Index %q", got)
	}
}
