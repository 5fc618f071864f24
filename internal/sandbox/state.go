package sandbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const stateVersion = 1

// stateFile stores tokens and the clock between runs. It contains digests but no secret, and
// has mode 0600.
type stateFile struct {
	path string
	mu   sync.Mutex
	last []byte // content last written, so that a request without changes writes nothing
}

type savedState struct {
	Version int          `json:"version"`
	Clock   savedClock   `json:"clock"`
	Seq     uint64       `json:"seq"`
	Tokens  []savedToken `json:"tokens"`
}

type savedToken struct {
	Token
	SHA256 string `json:"sha256"`
	Seeded bool   `json:"seeded,omitempty"`
	Seq    uint64 `json:"seq"`
}

// load restores the store and the clock. A file that does not exist means an empty sandbox.
func (f *stateFile) load(s *store, c *Clock, keepClock bool) error {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the state file: %w", err)
	}
	var saved savedState
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("reading the state file %s: %w", f.path, err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("state file %s has version %d, this sandbox reads %d", f.path, saved.Version, stateVersion)
	}
	if err := s.restore(saved); err != nil {
		return fmt.Errorf("reading the state file %s: %w", f.path, err)
	}
	if !keepClock {
		c.restore(saved.Clock)
	}
	return nil
}

// save writes the state atomically if it has changed since the last call.
func (f *stateFile) save(s *store, c *Clock) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	saved := s.snapshot()
	saved.Clock = c.saved()
	data, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the state: %w", err)
	}
	if bytes.Equal(data, f.last) {
		return nil
	}
	if err := replaceFile(f.path, data); err != nil {
		return fmt.Errorf("writing the state file: %w", err)
	}
	f.last = data
	return nil
}

// replaceFile atomically replaces the file at path, which only its owner can read.
func replaceFile(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // creates it with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

func (s *store) snapshot() savedState {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := savedState{Version: stateVersion, Seq: s.seq, Tokens: make([]savedToken, len(s.records))}
	for i, r := range s.records {
		saved.Tokens[i] = savedToken{Token: r.Token, SHA256: hex.EncodeToString(r.digest[:]), Seeded: r.seeded, Seq: r.seq}
	}
	return saved
}

func (s *store) restore(saved savedState) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.seq = saved.Seq
	for _, token := range saved.Tokens {
		r := &record{Token: token.Token, seeded: token.Seeded, seq: token.Seq}
		sum, err := hex.DecodeString(token.SHA256)
		if err != nil || len(sum) != len(r.digest) {
			return fmt.Errorf("token %s has no usable sha256", token.ID)
		}
		copy(r.digest[:], sum)
		s.index(r)
	}
	return nil
}
