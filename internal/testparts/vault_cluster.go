package testparts

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// VaultCluster is three Vault servers with shared storage (raft), on loopback without TLS.
type VaultCluster struct {
	Token string // root token
	nodes []*VaultServer
}

const nodeSettings = `
disable_mlock = true
storage "raft" {
  path                   = %q
  node_id                = %q
  performance_multiplier = 1
  %s
}
listener "tcp" {
  address     = %q
  tls_disable = true
}
`

// NewVaultCluster starts three servers, the first of which is active, with a KV v2 engine at
// "secret".
func NewVaultCluster(t testing.TB) *VaultCluster {
	t.Helper()
	first := startNode(t, 1, "")
	first.initialize(t)
	first.Unseal(t)
	// A server becomes a voter only after it has been stable for this long.
	first.Must(t, http.MethodPost, "sys/storage/raft/autopilot/configuration", first.Token, map[string]any{"server_stabilization_time": "1s"}, nil)
	c := &VaultCluster{Token: first.Token, nodes: []*VaultServer{first}}
	for number := 2; number <= 3; number++ {
		node := startNode(t, number, fmt.Sprintf("retry_join {\n    leader_api_addr = %q\n  }", first.URL))
		node.await(t, "another server", func() bool { // a server can be unsealed only after it has joined
			node.Ask(t, http.MethodPut, "sys/unseal", "", map[string]string{"key": first.unsealKey}, nil)
			return node.Ask(t, http.MethodGet, "sys/health", "", nil, nil) == http.StatusTooManyRequests // a standby answers 429
		})
		c.nodes = append(c.nodes, node)
	}
	first.mountKV(t)
	first.await(t, "a majority without the first", func() bool { return first.voters(t) == len(c.nodes) })
	c.nodes[1].await(t, "the KV engine of a standby", func() bool {
		return c.nodes[1].Ask(t, http.MethodGet, "secret/config", c.Token, nil, nil) == http.StatusOK
	})
	return c
}

// Standby returns the address of a server that forwards requests to the active one and can
// replace it.
func (c *VaultCluster) Standby() string { return c.nodes[1].URL }

// StepDown makes the first server, which is active, step down.
func (c *VaultCluster) StepDown(t testing.TB) {
	t.Helper()
	c.nodes[0].Must(t, http.MethodPut, "sys/step-down", c.Token, nil, nil)
}

// Kill kills the first server, which is active, as kill -9 does.
func (c *VaultCluster) Kill(testing.TB) { c.nodes[0].process.kill() }

// voters returns the number of servers that vote in elections.
func (v *VaultServer) voters(t testing.TB) int {
	t.Helper()
	var answer struct {
		Data struct {
			Config struct {
				Servers []struct {
					Voter bool `json:"voter"`
				} `json:"servers"`
			} `json:"config"`
		} `json:"data"`
	}
	v.Ask(t, http.MethodGet, "sys/storage/raft/configuration", v.Token, nil, &answer)
	count := 0
	for _, server := range answer.Data.Config.Servers {
		if server.Voter {
			count++
		}
	}
	return count
}

func startNode(t testing.TB, number int, join string) *VaultServer {
	t.Helper()
	v := &VaultServer{dir: t.TempDir(), client: http.Client{Timeout: 30 * time.Second}}
	data := filepath.Join(v.dir, "raft")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	const attempts = 3 // see Vault
	for attempt := 1; ; attempt++ {
		at := freePorts(t)
		v.URL = "http://" + at
		text := fmt.Sprintf(nodeSettings, data, fmt.Sprint("node-", number), join, at)
		if err := os.WriteFile(filepath.Join(v.dir, "vault.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := v.launch(t)
		if err == nil {
			return v
		}
		if attempt == attempts {
			t.Fatal(err)
		}
	}
}
