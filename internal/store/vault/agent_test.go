package vault_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Through an agent's listener, the client sends no token, and the address does not
// identify the Vault behind it.
func TestAgent(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
		if _, sent := call.Header["X-Vault-Token"]; sent {
			t.Errorf("a token was sent to %s", call.Path)
		}
		switch call.Path {
		case "sys/internal/ui/mounts/secret":
			say(w, 200, `{"data":{"path":"secret/","uuid":"u","type":"kv","options":{"version":"2"}}}`)
		case "secret/metadata/x":
			say(w, 404, `{"errors":[]}`)
		default:
			forbid(w)
		}
	})
	agent := vault.Login{Method: vault.MethodAgent}
	c := client(t, f.URL, func(c *vault.Config) { c.Login, c.Identity = agent, "vault-prod" })
	g := looked(t, vault.NewStore(c), at("x"))
	if g.Identity != "vault-prod" {
		t.Errorf("glance %+v", g)
	}
	if err := c.RevokeToken(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(t.Context(), at("x"), 0); !vault.IsForbidden(err) {
		t.Errorf("error %v", err)
	}
	if strings.Contains(strings.Join(f.requests(), " "), "auth/") {
		t.Errorf("it logged in: %v", f.requests())
	}
	if _, err := vault.New(vault.Config{Address: f.URL, Login: agent}); err == nil || !strings.Contains(err.Error(), "identity") {
		t.Errorf("without an identity: %v", err)
	}
}

// Open source Vault ignores namespaces. A Vault that ignores the configured namespace is
// rejected.
func TestNamespaceThatIsIgnored(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		health  string
		closed  bool // the mount outside the namespace
		apart   bool // it is a different one
		refused bool
		asked   bool
	}{
		"open source":                     {health: `"enterprise":false`, refused: true, asked: true},
		"it does not say":                 {health: `"version":"1.0"`, refused: true, asked: true},
		"Enterprise":                      {health: `"enterprise":true`},
		"another one that has namespaces": {health: `"enterprise":false`, apart: true, asked: true},
		"another one that is closed":      {health: `"enterprise":false`, closed: true, asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := false
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				uuid := "one"
				switch {
				case call.Path == "sys/health":
					say(w, 200, `{"initialized":true,"server_time_utc":1777636800,`+tt.health+`}`)
				case call.Path == "secret/metadata/x":
					say(w, 404, `{"errors":[]}`)
				case call.Path != "sys/internal/ui/mounts/secret", call.Namespace == "" && tt.closed:
					outside = outside || call.Namespace == ""
					forbid(w)
				default:
					if call.Namespace == "" {
						outside = true
						if tt.apart {
							uuid = "other"
						}
					}
					say(w, 200, `{"data":{"path":"secret/","uuid":"`+uuid+`","type":"kv","options":{"version":"2"}}}`)
				}
			})
			c := client(t, f.URL, func(c *vault.Config) { c.Namespace = "team" })
			_, err := vault.NewStore(c).Look(t.Context(), at("x"))
			if (err != nil) != tt.refused || err != nil && failureOf(t, err).Code != "PS318" {
				t.Errorf("error %v", err)
			}
			if outside != tt.asked || slices.Contains(f.requests(), "GET secret/metadata/x") == tt.refused {
				t.Errorf("requests %v", f.requests())
			}
		})
	}
}

// probeStory shows that a token without permission to query its capabilities finds out by
// trying before a token is minted, and leaves nothing behind.
func probeStory(t *testing.T, s server) {
	root := s.client(t)
	for _, path := range []string{"probe/new", "probe/old"} {
		if path == "probe/old" {
			mustPublish(t, root, at(path), 0, "s")
		}
		before := mustKnow(t, root, at(path))
		if err := root.ProbeData(t.Context(), at(path)); err != nil {
			t.Errorf("%s: data: %v", path, err)
		}
		if err := root.ProbeMetadata(t.Context(), at(path)); err != nil {
			t.Errorf("%s: metadata: %v", path, err)
		}
		after := mustKnow(t, root, at(path))
		if after.CurrentVersion != before.CurrentVersion || after.Exists != before.Exists || len(after.Custom) != 0 {
			t.Errorf("%s: %+v became %+v", path, before, after)
		}
	}
	stranger := client(t, s.address)
	if err := stranger.ProbeData(t.Context(), at("probe/old")); !vault.IsForbidden(err) {
		t.Errorf("a stranger: %v", err)
	}
	if err := stranger.ProbeMetadata(t.Context(), at("probe/old")); !vault.IsForbidden(err) {
		t.Errorf("a stranger: %v", err)
	}
}
