package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// store returns the server as package rotation sees it.
func (s server) store(t *testing.T, change ...func(*vault.Config)) *vault.Store {
	t.Helper()
	root := func(c *vault.Config) { c.Login.Token = hidden(s.token) }
	return vault.NewStore(client(t, s.address, append([]func(*vault.Config){root}, change...)...))
}

// wrote publishes on top of a version and expects the next one.
func wrote(t *testing.T, s *vault.Store, where entry.Location, cas int, r entry.Record) {
	t.Helper()
	got, err := s.Publish(t.Context(), where, revision(cas), r)
	if err != nil || got.Revision != revision(cas+1) {
		t.Fatalf("published %+v, %v", got, err)
	}
}

func looked(t *testing.T, s *vault.Store, where entry.Location) entry.Glance {
	t.Helper()
	g, err := s.Look(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// failureOf returns the store's message to the user in an error.
func failureOf(t *testing.T, err error) *entry.Failure {
	t.Helper()
	failure, ok := errors.AsType[*entry.Failure](err)
	if !ok {
		t.Fatalf("no failure in %T: %v", err, err)
	}
	return failure
}

// tombstone returns a record that closes an entry.
func tombstone(cas int) entry.Record {
	r := record("", cas)
	r.State, r.Secret = entry.StateTombstone, hidden("")
	return r
}

// storeStory follows the life of an entry as package rotation sees it.
func storeStory(t *testing.T, s server) {
	store, here := s.store(t), at("store/life")
	if g := looked(t, store, here); g.Revision != "" || g.Follows != "" || g.Condition != entry.Absent || g.Managed || len(g.Slot()) != entry.SlotLength {
		t.Errorf("before anything: %+v", g)
	}
	if v, err := store.Read(t.Context(), here); err != nil || v.Condition != entry.Absent || v.Revision != "" {
		t.Errorf("before anything: %+v, %v", v, err)
	}
	wrote(t, store, here, 0, record("first", 0))
	wrote(t, store, here, 1, record("second", 1))
	v, err := store.Read(t.Context(), here)
	if err != nil || v.Revision != "2" || v.Follows != "1" || v.Condition != entry.Live || v.Record == nil || v.Record.Secret != hidden("second") || v.Record.Base != v.Follows || v.Closed {
		t.Errorf("the current version: %+v, %v", v, err)
	}
	for base, want := range map[entry.Revision]string{"": "first", "1": "second", "2": ""} {
		v, err := store.After(t.Context(), here, base)
		switch {
		case err != nil:
			t.Fatal(err)
		case want == "" && v.Condition != entry.Absent, want != "" && (v.Record == nil || v.Record.Secret != hidden(want)):
			t.Errorf("after %q: %+v", base, v)
		}
	}
	for _, base := range []entry.Revision{"", "1", "3"} {
		got, err := store.Publish(t.Context(), here, base, record("late-s3cret", 1))
		if err == nil || errors.Is(err, entry.ErrRefused) || strings.Contains(fmt.Sprint(err, failureOf(t, err)), "late-s3cret") {
			t.Errorf("on top of %q: %+v, %v", base, got, err)
		}
	}
	for _, base := range []entry.Revision{"x", "-1", "0", "1.5", "AWSCURRENT"} {
		if _, err := store.After(t.Context(), here, base); err == nil {
			t.Errorf("%q passed for a version", base)
		}
		if _, err := store.Publish(t.Context(), here, base, record("s", 0)); err == nil {
			t.Errorf("%q passed for a version", base)
		}
	}
	mirror := entry.MirrorOf(*v.Record, v.Revision, nil, firstRotation)
	if err := store.Describe(t.Context(), here, mirror); err != nil {
		t.Fatal(err)
	}
	g := looked(t, store, here)
	if !g.Managed || g.Problem != nil || g.Mirror.Revision != g.Revision || g.Revision != "2" || g.Follows != "1" || !g.Mirror.Says(mirror) {
		t.Errorf("described: %+v", g)
	}
	// After a later version, the mirror describes an older revision and shows that.
	wrote(t, store, here, 2, record("third", 2))
	if g := looked(t, store, here); g.Mirror.Revision == g.Revision || g.Revision != "3" || g.Mirror.Of == 3 {
		t.Errorf("a mirror of the past: %+v", g)
	}
}

var firstRotation = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

// closeStory ends entries in each way. If someone wrote on top of the tombstone, that
// version is left unchanged.
func closeStory(t *testing.T, s server) {
	for how, want := range map[entry.Ending]struct {
		condition entry.Condition
		readable  []int
	}{
		entry.EndDelete: {condition: entry.Deleted},
		entry.EndKeep:   {condition: entry.Live, readable: []int{1, 2}},
		entry.EndPurge:  {condition: entry.Absent},
	} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			store, here := s.store(t), at("close/"+string(how))
			wrote(t, store, here, 0, record("first", 0))
			wrote(t, store, here, 1, tombstone(1))
			mirror := entry.MirrorOf(tombstone(1), "2", nil, time.Time{})
			for range 2 { // closing a closed entry does nothing
				if err := store.Close(t.Context(), here, "2", mirror, how); err != nil {
					t.Fatal(err)
				}
				m := mustKnow(t, s.client(t), here)
				if m.Condition != want.condition || !slices.Equal(m.Versions, want.readable) {
					t.Errorf("closed: %+v", m)
				}
				if how != entry.EndPurge && !m.Mirror.Says(mirror) {
					t.Errorf("described as %+v", m.Mirror)
				}
			}
			if v, err := store.Read(t.Context(), here); err != nil || v.Closed != (how != entry.EndPurge) {
				t.Errorf("read %+v, %v", v, err)
			}
		})
		t.Run("superseded, "+string(how), func(t *testing.T) {
			t.Parallel()
			store, here := s.store(t), at("superseded/"+string(how))
			wrote(t, store, here, 0, record("first", 0))
			wrote(t, store, here, 1, tombstone(1))
			wrote(t, store, here, 2, record("someone else's", 2))
			theirs := entry.MirrorOf(record("someone else's", 2), "3", nil, firstRotation)
			if err := store.Describe(t.Context(), here, theirs); err != nil {
				t.Fatal(err)
			}
			err := store.Close(t.Context(), here, "2", entry.MirrorOf(tombstone(1), "2", nil, time.Time{}), how)
			if !errors.Is(err, entry.ErrSuperseded) {
				t.Errorf("error %v", err)
			}
			m := mustKnow(t, s.client(t), here)
			if m.CurrentVersion != 3 || !slices.Equal(m.Versions, []int{1, 2, 3}) || !m.Mirror.Says(theirs) {
				t.Errorf("then the entry is %+v", m)
			}
		})
	}
}

func folderStory(t *testing.T, s server) {
	store := s.store(t)
	for _, path := range []string{"folder/b", "folder/a/deep", "folder/a", "folder/with space & more"} {
		wrote(t, store, at(path), 0, record("s", 0))
	}
	entries, folders, err := store.List(t.Context(), entry.Location{Mount: "secret", Path: "/folder/", Key: "token"})
	paths := func(all []entry.Location) (names []string) {
		for _, at := range all {
			if at.Key != "" || at.Mount != "secret" {
				t.Errorf("an entry at %+v", at)
			}
			names = append(names, at.Path)
		}
		return names
	}
	if diff := cmp.Diff([]string{"folder/a", "folder/b", "folder/with space & more"}, paths(entries)); err != nil || diff != "" {
		t.Errorf("entries %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"folder/a"}, paths(folders)); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if entries, folders, err := store.List(t.Context(), at("folder/none")); err != nil || len(entries)+len(folders) != 0 {
		t.Errorf("an empty folder: %v, %v, %v", entries, folders, err)
	}
	if _, folders, err := store.List(t.Context(), entry.Location{Mount: "secret"}); err != nil || !slices.Contains(paths(folders), "folder") {
		t.Errorf("the mount itself: %v, %v", folders, err)
	}
}

// mountsStory shows that the problems of a mount are distinguished, for root as for other
// tokens.
func mountsStory(t *testing.T, s server) {
	s.mount(t, "old", "1")
	for mount, want := range map[string]struct {
		code    string
		noPlace bool
	}{
		"old": {code: "PS303"}, "nothing-there": {code: "PS312", noPlace: true},
	} {
		where := entry.Location{Mount: mount, Path: "x"}
		_, look := s.store(t).Look(t.Context(), where)
		_, _, list := s.store(t).List(t.Context(), where)
		for act, err := range map[string]error{"look": look, "list": list} {
			if err == nil || failureOf(t, err).Code != want.code || errors.Is(err, entry.ErrNoPlace) != want.noPlace {
				t.Errorf("%s at %s: %v", act, mount, err)
			}
		}
	}
}

// TestStoreTellsWhoMayNotSee shows that a mount that the token may not see is
// distinguished from one that does not exist, and a dead token from one that lacks a
// permission.
func TestStoreTellsWhoMayNotSee(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	s.mount(t, "closed", "2")
	s.ask(t, http.MethodPut, "sys/policies/acl/ci", map[string]any{"policy": `path "secret/*" { capabilities = ["create", "read", "update", "patch"] }
path "misspelt/*" { capabilities = ["read"] }`})
	token := func(options map[string]any) vault.Login {
		options["policies"] = []string{"ci"}
		var made struct {
			Auth struct {
				ClientToken string `json:"client_token"`
			}
		}
		testparts.Ask(t, http.MethodPost, address+"/v1/auth/token/create", root, options, &made)
		return vault.Login{Method: vault.MethodToken, Token: hidden(made.Auth.ClientToken)}
	}
	revoked := token(map[string]any{})
	s.ask(t, http.MethodPost, "auth/token/revoke", map[string]any{"token": revoked.Token.Reveal()})
	for _, tt := range []struct {
		name    string
		login   vault.Login
		at      entry.Location
		code    string
		noPlace bool
	}{
		{name: "a mount without any grant", login: token(map[string]any{}), at: entry.Location{Mount: "closed", Path: "x"}, code: "PS302"},
		{name: "a mount that does not exist, without any grant", login: token(map[string]any{}), at: entry.Location{Mount: "nowhere", Path: "x"}, code: "PS302"},
		{name: "a mount that does not exist, with a grant", login: token(map[string]any{}), at: entry.Location{Mount: "misspelt", Path: "x"}, code: "PS312", noPlace: true},
		{name: "a mount that does not exist, to root", login: vault.Login{Method: vault.MethodToken, Token: hidden(root)}, at: entry.Location{Mount: "nowhere", Path: "x"}, code: "PS312", noPlace: true},
		{name: "a revoked token", login: revoked, at: at("x"), code: "PS313"},
		{name: "a token that never was", login: vault.Login{Method: vault.MethodToken, Token: hidden("hvs.never")}, at: at("x"), code: "PS313"},
		{name: "a token with one use", login: token(map[string]any{"num_uses": 1}), at: at("x"), code: "PS313"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := s.store(t, func(c *vault.Config) { c.Login = tt.login })
			_, err := store.Look(t.Context(), tt.at)
			if err == nil || failureOf(t, err).Code != tt.code || errors.Is(err, entry.ErrNoPlace) != tt.noPlace {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("the last use is spent on the check", func(t *testing.T) {
		t.Parallel()
		store := s.store(t, func(c *vault.Config) { c.Login = token(map[string]any{"num_uses": 1}) })
		if err := store.Check(t.Context(), at("x"), "", 0); err == nil || failureOf(t, err).Code != "PS313" {
			t.Errorf("error %v", err)
		}
	})
}

// TestStoreCheck shows that obstacles to a publication are found before a token is minted.
func TestStoreCheck(t *testing.T) {
	t.Parallel()
	const data, meta = "secret/data/x", "secret/metadata/x"
	type answers struct {
		data, meta string // capabilities
		life       string
	}
	good := answers{data: `"create","update"`, meta: `"read","patch"`, life: `{"data":{"ttl":3600,"expire_time":"2026-05-01T13:00:00Z","num_uses":0}}`}
	with := func(change func(*answers)) answers { a := good; change(&a); return a }
	for _, tt := range []struct {
		name  string
		says  answers
		base  entry.Revision
		code  string
		words string
	}{
		{name: "all is well", says: good},
		{name: "root", says: with(func(a *answers) { a.data, a.meta = `"root"`, `"root"` })},
		{name: "no create, for a new entry", says: with(func(a *answers) { a.data = `"update"` }), code: "PS302", words: data + ": create (it has: update)"},
		{name: "no create, for one that exists", says: with(func(a *answers) { a.data = `"update"` }), base: "1"},
		{name: "no update", says: with(func(a *answers) { a.data = `"create"` }), base: "1", code: "PS302", words: data + ": update (it has: create)"},
		{name: "no patch", says: with(func(a *answers) { a.meta = `"read"` }), code: "PS302", words: meta + ": patch (it has: read)"},
		{name: "a minute left", says: with(func(a *answers) { a.life = `{"data":{"ttl":60,"expire_time":"2026-05-01T13:00:00Z"}}` }), code: "PS308", words: "1m"},
		{name: "it never expires", says: with(func(a *answers) { a.life = `{"data":{"ttl":0,"expire_time":null}}` })},
		{name: "eleven uses left", says: with(func(a *answers) { a.life = `{"data":{"ttl":3600,"expire_time":"2026-05-01T13:00:00Z","num_uses":11}}` }), code: "PS315", words: "11 uses"},
		{name: "enough uses left", says: with(func(a *answers) { a.life = `{"data":{"ttl":3600,"expire_time":"2026-05-01T13:00:00Z","num_uses":12}}` })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				switch call.Path {
				case "sys/capabilities-self":
					say(w, 200, fmt.Sprintf(`{"data":{%q:[%s],%q:[%s]}}`, data, tt.says.data, meta, tt.says.meta))
				case "auth/token/lookup-self":
					say(w, 200, tt.says.life)
				default:
					t.Errorf("%s %s", call.Method, call.Path)
				}
			})
			err := vault.NewStore(client(t, f.URL)).Check(t.Context(), at("x"), tt.base, 3*time.Minute)
			if tt.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			if failure := failureOf(t, err); failure.Code != tt.code || !strings.Contains(failure.Facts, tt.words) {
				t.Errorf("%s: %s", failure.Code, failure.Facts)
			}
		})
	}
}
