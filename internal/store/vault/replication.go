package vault

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// index records the position of Vault's storage in its latest response. It is sent with
// the next request, so that a standby that lags responds with 412 instead of with data
// from before our own write. Only Vault Enterprise sends the header. Otherwise index does
// nothing.
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

// mostStates limits how many states that do not cover each other a request contains before
// the latest one replaces them.
const mostStates = 2

// mergeStates returns the states to require after a response: its own, and those known
// before that it does not cover. If its state cannot be compared with a known one, it is
// from another cluster or a later Vault, and only the new state counts.
// MergeReplicationStates of vault/api does the same.
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

// walState is the position of the write-ahead logs of a cluster.
type walState struct {
	cluster           string
	local, replicated uint64
}

func (s walState) covers(other walState) bool {
	return s.local >= other.local && s.replicated >= other.replicated
}

// parseState parses the value of the header: "v1:CLUSTER:LOCAL:REPLICATED:HMAC" in base64.
// Only Vault can verify the HMAC.
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
