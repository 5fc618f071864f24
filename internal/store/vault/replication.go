package vault

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	if state := header.Get(headerIndex); state != "" {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.states = mergeStates(i.states, state)
	}
}

func (i *index) require(header http.Header) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, state := range i.states {
		header.Add(headerIndex, state)
	}
}

// mostStates is how many states that do not cover each other a request carries before the
// latest one replaces them.
const mostStates = 2

// mergeStates returns what to require after an answer: its state, and those known before that
// it does not cover. A state that cannot be compared with it is of another cluster, or of a
// later Vault; then its own counts alone. vault/api's MergeReplicationStates does the same.
func mergeStates(known []string, got string) []string {
	newest, ok := parseState(got)
	if !ok || len(known) > mostStates {
		return []string{got}
	}
	var merged []string
	for _, state := range known {
		switch older, ok := parseState(state); {
		case !ok || older.cluster != newest.cluster:
			return []string{got}
		case older.covers(newest):
			merged = append(merged, state)
		case newest.covers(older):
			merged = append(merged, got)
		default:
			merged = append(merged, state, got)
		}
	}
	if len(known) == 0 {
		return []string{got}
	}
	slices.Sort(merged)
	return slices.Compact(merged)
}

// walState is how far the write-ahead logs of a cluster had come.
type walState struct {
	cluster           string
	local, replicated uint64
}

func (s walState) covers(other walState) bool {
	return s.local >= other.local && s.replicated >= other.replicated
}

// parseState reads the value of the header: in base64 "v1:CLUSTER:LOCAL:REPLICATED:HMAC".
// Vault alone can check the HMAC.
func parseState(header string) (state walState, ok bool) {
	text, err := base64.StdEncoding.DecodeString(header)
	parts := strings.Split(string(text), ":")
	if err != nil || len(parts) != 5 || parts[0] != "v1" || parts[1] == "" {
		return state, false
	}
	local, errLocal := strconv.ParseUint(parts[2], 10, 64)
	replicated, errReplicated := strconv.ParseUint(parts[3], 10, 64)
	return walState{parts[1], local, replicated}, errLocal == nil && errReplicated == nil
}
