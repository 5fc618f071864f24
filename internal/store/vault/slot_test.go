package vault_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// TestSlots shows what distinguishes an entry from all others, and which entries are still
// ours under a former identity.
func TestSlots(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
		switch {
		case strings.HasPrefix(call.Path, "sys/internal/ui/mounts/"):
			mount := strings.TrimPrefix(call.Path, "sys/internal/ui/mounts/")
			say(w, 200, fmt.Sprintf(`{"data":{"path":%q,"uuid":"uuid-of-%s%s","type":"kv","options":{"version":"2"}}}`, mount+"/", mount, call.Namespace))
		case call.Path == "sys/health":
			say(w, 200, `{"initialized":true,"enterprise":true,"server_time_utc":1777636800}`)
		case strings.HasSuffix(call.Path, "/config"):
			forbid(w)
		default:
			say(w, 404, `{"errors":[]}`)
		}
	})
	host := strings.TrimPrefix(f.URL, "http://")
	look := func(where entry.Location, change func(*vault.Config)) entry.Glance {
		return looked(t, vault.NewStore(client(t, f.URL, change)), where)
	}
	as := func(identity string, former ...string) func(*vault.Config) {
		return func(c *vault.Config) { c.Identity, c.FormerIdentities = identity, former }
	}
	here := at("ci/x")
	plain := look(here, as(""))
	if plain.Identity != host || len(plain.Slots) != 1 || plain.Slot() != entry.Slot(host, "uuid-of-secret", "", "ci/x") {
		t.Errorf("without a setting: %+v", plain)
	}
	named := look(here, as("vault-prod", host, "vault-prod"))
	if named.Identity != "vault-prod" || named.Slot() == plain.Slot() || !slices.Contains(named.Slots, plain.Slot()) {
		t.Errorf("with former identities: %+v, before %+v", named, plain)
	}
	if !slices.Equal(look(at("/ci/x/"), as("")).Slots, plain.Slots) || look(entry.Location{Mount: "secret", Path: "ci/x", Key: "other"}, as("")).Slot() != plain.Slot() {
		t.Error("slashes or the field change the slot")
	}
	others := []string{plain.Slot(), named.Slot()}
	for _, where := range []entry.Location{at("ci/y"), {Mount: "kv", Path: "ci/x"}, {Mount: "secret", Path: "ci/x", Namespace: "team"}} {
		slot := look(where, as("")).Slot()
		if slices.Contains(others, slot) {
			t.Errorf("%s shares a slot", where)
		}
		others = append(others, slot)
	}
	inNamespace := look(here, func(c *vault.Config) { c.Namespace = "/team/" })
	if inNamespace.Slot() != others[len(others)-1] {
		t.Error("a namespace makes another slot by the provider than by the resource")
	}
}

func TestIdentityOfAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://Vault.Example.com":            "vault.example.com:443",
		"https://vault.example.com.:8200/":     "vault.example.com:8200",
		"http://127.0.0.1":                     "127.0.0.1:80",
		"https://[2001:DB8::1]:8200":           "[2001:db8::1]:8200",
		"https://proxy.example.com/vault/prod": "proxy.example.com:443",
	} {
		if got := vault.NewStore(client(t, address)).Identity(); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}

// Without the mount's UUID, two Vaults with equal paths would share a slot.
func TestMountWithoutUUIDIsRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
		if call.Path == "sys/internal/ui/mounts/secret" {
			say(w, 200, `{"data":{"path":"secret/","uuid":"","type":"kv","options":{"version":"2"}}}`)
			return
		}
		forbid(w)
	})
	store := vault.NewStore(client(t, f.URL))
	if _, err := store.Look(t.Context(), at("x")); err == nil || failureOf(t, err).Code != "PS314" {
		t.Errorf("error %v", err)
	}
	if slices.Contains(f.requests(), "GET secret/metadata/x") {
		t.Error("the entry was looked at anyway")
	}
}
