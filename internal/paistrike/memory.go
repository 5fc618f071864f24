package paistrike

import "sync"

// memory records which tokens the clients of one server have seen, and which of them are
// revoked. A revoked token never becomes active again.
type memory struct {
	mu      sync.Mutex
	revoked map[string]bool // by ID; false for a token that was active when it was seen
}

func newMemory() *memory { return &memory{revoked: map[string]bool{}} }

// note records tokens as a response showed them.
func (m *memory) note(tokens ...Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, token := range tokens {
		m.revoked[token.ID] = m.revoked[token.ID] || token.Status == StatusRevoked
	}
}

// ended records that a token was seen as revoked.
func (m *memory) ended(id string) { m.note(Token{ID: id, Status: StatusRevoked}) }

// knows reports whether a token was ever seen, and whether it was revoked then.
func (m *memory) knows(id string) (known, revoked bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	revoked, known = m.revoked[id]
	return known, revoked
}

// meets reports whether a list contains a token that was seen before, other than the one
// with the ID.
func (m *memory) meets(tokens []Token, id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, token := range tokens {
		if _, known := m.revoked[token.ID]; known && token.ID != id {
			return true
		}
	}
	return false
}

// knowsOther reports whether a token with a different ID was ever seen.
func (m *memory) knowsOther(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, this := m.revoked[id]
	return len(m.revoked) > 1 || len(m.revoked) == 1 && !this
}
