package vault_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// server is a KV engine to test against, with its root token.
type server struct{ address, token string }

func (s server) client(t *testing.T) *vault.Client {
	t.Helper()
	return client(t, s.address, func(c *vault.Config) {
		c.Login = vault.Login{Method: vault.MethodToken, Token: hidden(s.token)}
	})
}

// ask calls what the client does not implement, as root.
func (s server) ask(t *testing.T, method, path string, body any) {
	t.Helper()
	testparts.Ask(t, method, s.address+"/v1/"+path, s.token, body, nil)
}

func (s server) mount(t *testing.T, path, version string) {
	t.Helper()
	s.ask(t, http.MethodPost, "sys/mounts/"+path, map[string]any{"type": "kv", "options": map[string]string{"version": version}})
}

// servers are the two real engines. Every story is true for both.
var servers = map[string]func(*testing.T) server{
	"engine alone": func(t *testing.T) server { a, token := testparts.KV(t); return server{a, token} },
	"Vault":        func(t *testing.T) server { a, token := testparts.Vault(t); return server{a, token} },
}

func TestRealEngine(t *testing.T) {
	t.Parallel()
	stories := map[string]func(*testing.T, server){
		"publish":               publishStory,
		"check and set":         checkAndSetStory,
		"delete and destroy":    deleteStory,
		"purge":                 purgeStory,
		"mirror":                mirrorStory,
		"versions are trimmed":  trimStory,
		"versions that expire":  expiringStory,
		"someone else's":        foreignStory,
		"metadata without data": metadataOnlyStory,
		"list":                  listStory,
		"mounts":                mountStory,
		"own token":             ownTokenStory,
		"a field":               fieldStory,
		"probes":                probeStory,
		"an entry's life":       storeStory,
		"closing":               closeStory,
		"folders":               folderStory,
		"wrong mounts":          mountsStory,
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for name, story := range stories {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					story(t, s)
				})
			}
		})
	}
}

// mustPublish writes and expects the version after cas.
func mustPublish(t *testing.T, c *vault.Client, where entry.Location, cas int, value string) {
	t.Helper()
	got, err := c.Publish(t.Context(), where, cas, record(value, cas))
	if err != nil || got.Version != cas+1 {
		t.Fatalf("published %+v, %v", got, err)
	}
}

func mustRead(t *testing.T, c *vault.Client, where entry.Location, version int) vault.Entry {
	t.Helper()
	e, err := c.Read(t.Context(), where, version)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustKnow(t *testing.T, c *vault.Client, where entry.Location) vault.Metadata {
	t.Helper()
	m, err := c.Metadata(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func publishStory(t *testing.T, s server) {
	c, here := s.client(t), at("publish/ci")
	if e := mustRead(t, c, here, 0); e.Condition != entry.Absent || e.Version != 0 {
		t.Errorf("before anything: %+v", e)
	}
	if m := mustKnow(t, c, here); m.Exists || m.Condition != entry.Absent {
		t.Errorf("before anything: %+v", m)
	}
	want := record("first", 0)
	mustPublish(t, c, here, 0, "first")
	e := mustRead(t, c, here, 0)
	want.Key = "token"
	if diff := cmp.Diff(&want, e.Record, sameSecret); diff != "" || e.Problem != nil || e.Version != 1 || e.Condition != entry.Live {
		t.Errorf("read %+v (-want +got):\n%s", e, diff)
	}
	if !e.DeletionTime.IsZero() || e.Managed {
		t.Errorf("read %+v", e)
	}
	mustPublish(t, c, here, 1, "second")
	if e := mustRead(t, c, here, 1); e.Record == nil || e.Record.Secret.Reveal() != "first" || e.Version != 1 {
		t.Errorf("version 1 is %+v", e)
	}
	if e := mustRead(t, c, here, 0); e.Record == nil || e.Record.Secret.Reveal() != "second" || e.Version != 2 {
		t.Errorf("the current version is %+v", e)
	}
	if e := mustRead(t, c, here, 3); e.Condition != entry.Absent {
		t.Errorf("version 3 is %+v", e)
	}
	m := mustKnow(t, c, here)
	if !m.Exists || m.CurrentVersion != 2 || m.Condition != entry.Live || !slices.Equal(m.Versions, []int{1, 2}) {
		t.Errorf("metadata %+v", m)
	}
}

func checkAndSetStory(t *testing.T, s server) {
	c, here := s.client(t), at("cas")
	mustPublish(t, c, here, 0, "first")
	for _, cas := range []int{0, 2} {
		_, err := c.Publish(t.Context(), here, cas, record("late", cas))
		if vault.StatusOf(err) != http.StatusBadRequest || vault.IsUpgrading(err) || strings.Contains(err.Error(), "late") {
			t.Errorf("cas %d: %v", cas, err)
		}
	}
	if e := mustRead(t, c, here, 0); e.Version != 1 || e.Record.Secret.Reveal() != "first" {
		t.Errorf("then the entry is %+v", e)
	}
}

func deleteStory(t *testing.T, s server) {
	c, here := s.client(t), at("delete")
	mustPublish(t, c, here, 0, "first")
	mustPublish(t, c, here, 1, "second")
	if err := c.Delete(t.Context(), here, []int{2}); err != nil {
		t.Fatal(err)
	}
	e := mustRead(t, c, here, 0)
	if e.Condition != entry.Deleted || e.Version != 2 || e.DeletionTime.IsZero() || e.Record != nil || e.Problem != nil {
		t.Errorf("deleted: %+v", e)
	}
	if m := mustKnow(t, c, here); m.Condition != entry.Deleted || m.CurrentVersion != 2 || !slices.Equal(m.Versions, []int{1}) {
		t.Errorf("deleted: %+v", m)
	}
	if _, err := c.Publish(t.Context(), here, 0, record("third", 0)); vault.StatusOf(err) != http.StatusBadRequest {
		t.Errorf("a deleted entry still counts its versions, but: %v", err)
	}
	s.ask(t, http.MethodPost, "secret/undelete/delete", map[string]any{"versions": []int{2}})
	if e := mustRead(t, c, here, 0); e.Condition != entry.Live || e.Record.Secret.Reveal() != "second" {
		t.Errorf("brought back: %+v", e)
	}
	s.ask(t, http.MethodPost, "secret/destroy/delete", map[string]any{"versions": []int{2}})
	if e := mustRead(t, c, here, 0); e.Condition != entry.Destroyed || e.Version != 2 {
		t.Errorf("destroyed: %+v", e)
	}
	if m := mustKnow(t, c, here); m.Condition != entry.Destroyed || !slices.Equal(m.Versions, []int{1}) {
		t.Errorf("destroyed: %+v", m)
	}
	mustPublish(t, c, here, 2, "third")
	if err := c.Delete(t.Context(), here, nil); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func purgeStory(t *testing.T, s server) {
	c, here := s.client(t), at("purge")
	mustPublish(t, c, here, 0, "first")
	mustPublish(t, c, here, 1, "second")
	for range 2 { // repeating it changes nothing
		if err := c.Purge(t.Context(), here); err != nil {
			t.Fatal(err)
		}
	}
	if m := mustKnow(t, c, here); m.Exists {
		t.Errorf("purged: %+v", m)
	}
	mustPublish(t, c, here, 0, "again") // and versions start at 1 again
}

func mirrorStory(t *testing.T, s server) {
	c, here := s.client(t), at("mirror")
	if err := c.Patch(t.Context(), here, map[string]string{"a": "b"}); !vault.IsNotFound(err) {
		t.Errorf("patching nothing: %v", err)
	}
	mustPublish(t, c, here, 0, "first")
	if err := c.Patch(t.Context(), here, map[string]string{"team": "blue"}); err != nil {
		t.Fatal(err)
	}
	if m := mustKnow(t, c, here); m.Managed || m.MirrorProblem != nil || m.Custom["team"] != "blue" {
		t.Errorf("a key of someone else's: %+v", m)
	}
	mirror := entry.Mirror{
		State: entry.StateActive, Of: 1, TokenID: "tok_1", Schedule: schedule.Schedule{Period: "30d"}, LastError: "PS205",
		NextRotation: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Retiring:     []entry.RetiringRef{{ID: "tok_0", RevokeAfter: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)}},
	}
	if err := c.Patch(t.Context(), here, entry.EncodeMirror(mirror)); err != nil {
		t.Fatal(err)
	}
	m := mustKnow(t, c, here)
	if diff := cmp.Diff(mirror, m.Mirror); diff != "" || !m.Managed || m.MirrorProblem != nil || m.Custom["team"] != "blue" {
		t.Errorf("metadata %+v (-want +got):\n%s", m, diff)
	}
	if e := mustRead(t, c, here, 0); !e.Managed || e.Mirror.TokenID != "tok_1" {
		t.Errorf("entry %+v", e)
	}
	// Keys that a later mirror lacks are removed from Vault, and no others.
	if err := c.Patch(t.Context(), here, entry.EncodeMirror(entry.Mirror{State: entry.StateTombstone, Of: 2})); err != nil {
		t.Fatal(err)
	}
	m = mustKnow(t, c, here)
	want := map[string]string{"team": "blue", "managed_by": "paistrike", "paistrike_schema": "1", "paistrike_state": "tombstone", "paistrike_mirror_of": "2"}
	if diff := cmp.Diff(want, m.Custom); diff != "" {
		t.Errorf("custom_metadata (-want +got):\n%s", diff)
	}
	// Vault accepts the largest possible mirror.
	long := entry.Mirror{
		State: entry.StateActive, TokenName: strings.Repeat("𝒳\u200b", 400), Schedule: schedule.Schedule{Cron: strings.Repeat("*", 600)},
		Retiring: slices.Repeat([]entry.RetiringRef{{ID: strings.Repeat("é", 40), RevokeAfter: time.Unix(1, 0)}}, 50),
	}
	if err := c.Patch(t.Context(), here, entry.EncodeMirror(long)); err != nil {
		t.Error(err)
	}
	if err := c.Patch(t.Context(), here, map[string]string{"paistrike_state": "odd"}); err != nil {
		t.Fatal(err)
	}
	if m := mustKnow(t, c, here); !m.Managed || m.MirrorProblem == nil || m.CurrentVersion != 1 {
		t.Errorf("tampered: %+v", m)
	}
}

func trimStory(t *testing.T, s server) {
	c, here := s.client(t), at("trim")
	for cas := range 12 {
		mustPublish(t, c, here, cas, "s")
	}
	m := mustKnow(t, c, here)
	if m.CurrentVersion != 12 || len(m.Versions) != 10 || m.Versions[0] != 3 {
		t.Errorf("metadata %+v", m)
	}
	if e := mustRead(t, c, here, 2); e.Condition != entry.Absent {
		t.Errorf("version 2 is %+v", e)
	}
}

func expiringStory(t *testing.T, s server) {
	c, here := s.client(t), at("expiring")
	s.ask(t, http.MethodPost, "secret/metadata/expiring", map[string]any{"delete_version_after": "3h", "cas_required": true, "max_versions": 5})
	got, err := c.Publish(t.Context(), here, 0, record("s", 0))
	if err != nil {
		t.Fatal(err)
	}
	e := mustRead(t, c, here, 0)
	if e.Condition != entry.Live || !e.DeletionTime.Equal(got.DeletionTime) || got.DeletionTime.IsZero() {
		t.Errorf("published %+v, read %+v", got, e)
	}
	m := mustKnow(t, c, here)
	if m.Condition != entry.Live || m.DeleteVersionAfter != 3*time.Hour || !slices.Equal(m.Versions, []int{1}) {
		t.Errorf("metadata %+v", m)
	}
}

func foreignStory(t *testing.T, s server) {
	c, here := s.client(t), at("foreign")
	s.ask(t, http.MethodPost, "secret/data/foreign", map[string]any{"data": map[string]any{"password": "canary-s3cret", "n": 5}})
	e := mustRead(t, c, here, 0)
	if e.Condition != entry.Live || e.Version != 1 || e.Record != nil || e.Managed {
		t.Errorf("entry %+v", e)
	}
	if _, ok := e.Problem.(*entry.ForeignError); !ok || strings.Contains(e.Problem.Error(), "canary") { //nolint:errorlint // the promised type
		t.Errorf("problem %v", e.Problem)
	}
	s.ask(t, http.MethodPost, "secret/data/foreign", map[string]any{"data": map[string]any{"paistrike": `{"v":2}`}})
	if e := mustRead(t, c, here, 0); fmt.Sprintf("%T", e.Problem) != "*entry.SchemaError" {
		t.Errorf("problem %v", e.Problem)
	}
	s.ask(t, http.MethodPost, "secret/data/foreign", map[string]any{"data": map[string]any{}})
	if e := mustRead(t, c, here, 0); e.Problem == nil || e.Version != 3 {
		t.Errorf("entry %+v", e)
	}
}

func metadataOnlyStory(t *testing.T, s server) {
	c, here := s.client(t), at("metadata-only")
	s.ask(t, http.MethodPost, "secret/metadata/metadata-only", map[string]any{"custom_metadata": map[string]string{"team": "blue"}})
	m := mustKnow(t, c, here)
	if !m.Exists || m.CurrentVersion != 0 || m.Condition != entry.Absent || len(m.Versions) != 0 {
		t.Errorf("metadata %+v", m)
	}
	if e := mustRead(t, c, here, 0); e.Condition != entry.Absent {
		t.Errorf("entry %+v", e)
	}
	mustPublish(t, c, here, 0, "s")
}

func listStory(t *testing.T, s server) {
	c := s.client(t)
	mustPublish(t, c, at("list/b"), 0, "s")
	mustPublish(t, c, at("list/a/deep"), 0, "s")
	mustPublish(t, c, at("list/with space & more"), 0, "s")
	got, err := c.List(t.Context(), "", "secret", "list")
	if diff := cmp.Diff([]string{"a/", "b", "with space & more"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = c.List(t.Context(), "", "secret", "list/none")
	if err != nil || len(got) != 0 {
		t.Errorf("an empty folder: %v, %v", got, err)
	}
}

func mountStory(t *testing.T, s server) {
	s.mount(t, "legacy", "1")
	s.mount(t, "team/kv", "2")
	c := s.client(t)
	if m, err := c.Mount(t.Context(), "", "legacy"); err != nil || m.KVVersion != 1 || m.UUID == "" {
		t.Errorf("%+v, %v", m, err)
	}
	first, err := c.Mount(t.Context(), "", "team/kv")
	if err != nil || first.KVVersion != 2 || first.UUID == "" || first.DeleteVersionAfter != 0 {
		t.Errorf("%+v, %v", first, err)
	}
	if _, err := c.Mount(t.Context(), "", "team/kv/ci"); err == nil {
		t.Error("a path below the mount passed for one")
	}
	if _, err := c.Mount(t.Context(), "", "nothing"); !vault.IsForbidden(err) {
		t.Errorf("no mount: %v", err)
	}
	s.ask(t, http.MethodPost, "team/kv/config", map[string]any{"delete_version_after": "2h"})
	s.ask(t, http.MethodDelete, "sys/mounts/legacy", nil)
	s.mount(t, "legacy", "2")
	later := s.client(t)
	if m, err := later.Mount(t.Context(), "", "team/kv"); err != nil || m.DeleteVersionAfter != 2*time.Hour || m.UUID != first.UUID {
		t.Errorf("%+v, %v", m, err)
	}
	before, _ := c.Mount(t.Context(), "", "legacy")
	if after, err := later.Mount(t.Context(), "", "legacy"); err != nil || after.KVVersion != 2 || after.UUID == before.UUID {
		t.Errorf("mounted anew: %+v, %v", after, err)
	}
}

func ownTokenStory(t *testing.T, s server) {
	c := s.client(t)
	if life, err := c.TokenLife(t.Context()); err != nil || life != (vault.TokenLife{}) {
		t.Errorf("root's token lives %+v, %v", life, err)
	}
	got, err := c.Capabilities(t.Context(), "", "secret/data/x", "secret/metadata/x")
	want := map[string][]string{"secret/data/x": {"root"}, "secret/metadata/x": {"root"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	now, err := c.ServerTime(t.Context())
	if away := time.Since(now).Abs(); err != nil || away > time.Minute {
		t.Errorf("Vault's clock is %v away, %v", away, err)
	}
	stranger := client(t, s.address)
	if _, err := stranger.Metadata(t.Context(), at("x")); !vault.IsForbidden(err) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := stranger.Publish(t.Context(), at("stranger"), 0, record("s", 0)); !vault.IsForbidden(err) {
		t.Errorf("a stranger: %v", err)
	}
}
