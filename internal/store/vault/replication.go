package vault

import (
	"net/http"
	"sync"

	"github.com/hashicorp/vault/api"
)

// index holds how far Vault's storage had come when it last answered. Sent with
// the next request, it keeps a standby that lags behind from answering with what
// was true before our own write: such a server says 412 instead. Only Vault
// Enterprise sends the header; elsewhere this does nothing.
type index struct {
	mu     sync.Mutex
	states []string
}

func (i *index) record(header http.Header) {
	if state := header.Get(api.HeaderIndex); state != "" {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.states = api.MergeReplicationStates(i.states, state)
	}
}

func (i *index) require(header http.Header) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, state := range i.states {
		header.Add(api.HeaderIndex, state)
	}
}
