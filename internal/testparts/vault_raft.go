package testparts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// NewDurableVaultServer is like [NewVaultServer] but stores data on disk (raft), so that the
// server can be restarted and snapshots can be restored.
func NewDurableVaultServer(t testing.TB, authority *Authority, hosts ...string) *VaultServer {
	t.Helper()
	v := &VaultServer{dir: t.TempDir()}
	data := filepath.Join(v.dir, "raft")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	v.storage = fmt.Sprintf("storage \"raft\" {\n  path = %q\n  node_id = \"one\"\n  performance_multiplier = 1\n}", data)
	return newVaultServer(t, authority, v, hosts...)
}

// Restart kills the server as kill -9 does, starts it with its stored data, and unseals it.
func (v *VaultServer) Restart(t testing.TB) {
	t.Helper()
	v.process.kill()
	if err := v.launch(t); err != nil {
		t.Fatal(err)
	}
	v.Unseal(t)
}

// Snapshot returns a snapshot of all stored data.
func (v *VaultServer) Snapshot(t testing.TB) []byte {
	t.Helper()
	return v.raw(t, http.MethodGet, "sys/storage/raft/snapshot", nil)
}

// Restore restores a snapshot and waits until the server is ready.
func (v *VaultServer) Restore(t testing.TB, snapshot []byte) {
	t.Helper()
	v.raw(t, http.MethodPost, "sys/storage/raft/snapshot", snapshot)
	v.await(t, "Vault", func() bool {
		return v.Ask(t, http.MethodGet, "secret/config", v.Token, nil, nil) == http.StatusOK
	})
}

// BecomeCopyOf replaces all stored data with a snapshot of another server, which must have
// entries. It then has that server's unseal key and root token.
func (v *VaultServer) BecomeCopyOf(t testing.TB, original *VaultServer) {
	t.Helper()
	v.raw(t, http.MethodPost, "sys/storage/raft/snapshot-force", original.Snapshot(t))
	v.Token, v.unsealKey = original.Token, original.unsealKey
	want := original.entries(t)
	if want == nil {
		t.Fatal("the original has no entries by which to recognize its copy")
	}
	v.await(t, "the copy", func() bool { // it seals itself because the key has changed
		v.Ask(t, http.MethodPut, "sys/unseal", "", map[string]string{"key": v.unsealKey}, nil)
		return slices.Equal(v.entries(t), want)
	})
}

// entries returns the entries and folders at the root of the mount, or nil if there is none or
// the server cannot answer.
func (v *VaultServer) entries(t testing.TB) []string {
	t.Helper()
	var list struct{ Data struct{ Keys []string } }
	if v.Ask(t, http.MethodGet, "secret/metadata?list=true", v.Token, nil, &list) != http.StatusOK {
		return nil
	}
	return list.Data.Keys
}

// raw sends and returns raw bytes.
func (v *VaultServer) raw(t testing.TB, method, path string, body []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, v.URL+"/v1/"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", v.Token)
	response, err := v.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: Vault answered %d (%v)", method, path, response.StatusCode, err)
	}
	return answer
}
