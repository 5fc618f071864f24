package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// The explorer runs the real engine against this small world. It keeps the two
// properties that the protocol rests on, a check-and-set register with a growing
// version and a list of tokens, and nothing else, so that millions of steps pass
// in seconds.

// cell is one version of the Vault entry.
type cell struct {
	record  entry.Record
	deleted bool
}

// smallWorld is Vault, PAIStrike and the clock of one execution.
type smallWorld struct {
	cells   []cell // version 1 is cells[0]
	custom  map[string]string
	tokens  []paistrike.Token
	minted  int
	now     time.Time
	pending []pendingWrite // requests that are still on their way
	safe    map[string]time.Time
	broken  map[string]bool
	closing bool // a destroy is about
	found   []string
}

// pendingWrite is a request that its sender has given up on.
type pendingWrite struct {
	label string
	land  func(*smallWorld)
}

func newSmallWorld() *smallWorld {
	return &smallWorld{custom: map[string]string{}, now: firstDay, safe: map[string]time.Time{}, broken: map[string]bool{}}
}

// clone gives a world of its own; records are never changed in place.
func (w *smallWorld) clone() *smallWorld {
	other := *w
	other.cells, other.tokens, other.pending = slices.Clone(w.cells), slices.Clone(w.tokens), slices.Clone(w.pending)
	other.custom, other.safe, other.broken = maps.Clone(w.custom), maps.Clone(w.safe), maps.Clone(w.broken)
	return &other
}

func (w *smallWorld) violate(format string, args ...any) {
	w.found = append(w.found, fmt.Sprintf(format, args...))
}

// create mints a token and gives it.
func (w *smallWorld) create(name string, expires time.Time) paistrike.Minted {
	w.minted++
	token := paistrike.Token{ID: fmt.Sprintf("tok_%d", w.minted), Name: name, CreatedAt: w.now, ExpiresAt: expires, Status: paistrike.StatusActive}
	w.tokens = append(w.tokens, token)
	return paistrike.Minted{Token: token, Secret: secret.New("secret of " + token.ID)}
}

func (w *smallWorld) token(id string) *paistrike.Token {
	for i := range w.tokens {
		if w.tokens[i].ID == id {
			return &w.tokens[i]
		}
	}
	return nil
}

// revoke ends a token, and checks I1 and I2.
func (w *smallWorld) revoke(id string) {
	token := w.token(id)
	if token == nil || token.Status == paistrike.StatusRevoked {
		return
	}
	token.Status = paistrike.StatusRevoked
	if top := w.top(); top != nil && top.State == entry.StateActive && top.TokenID == id && !w.broken[id] {
		w.violate("I1: token %s is revoked while version %d serves it", id, len(w.cells))
	}
	if until, was := w.safe[id]; was && !w.closing && (until.IsZero() || w.now.Before(until)) && !w.broken[id] {
		w.violate("I2: token %s, which was current, is revoked before its overlap is over", id)
	}
}

// top is the current record, nil where there is none to read.
func (w *smallWorld) top() *entry.Record {
	if len(w.cells) == 0 || w.cells[len(w.cells)-1].deleted {
		return nil
	}
	return &w.cells[len(w.cells)-1].record
}

var errMismatch = &vault.Error{Op: "writing", Status: 400, Reasons: []string{"check-and-set parameter did not match the current version"}}

// publish is the check-and-set write. It checks I1.
func (w *smallWorld) publish(cas int, record entry.Record) (vault.Published, error) {
	if cas != len(w.cells) {
		return vault.Published{}, errMismatch
	}
	w.put(record)
	return vault.Published{Version: len(w.cells)}, nil
}

// put makes a record current, whoever writes it.
func (w *smallWorld) put(record entry.Record) {
	record.Key = "token"
	record.Retiring = slices.Clone(record.Retiring)
	w.cells = append(w.cells, cell{record: record})
	for id, until := range w.safe {
		if until.IsZero() && id != record.TokenID {
			w.safe[id] = w.now.Add(day)
		}
	}
	if record.State != entry.StateActive {
		return
	}
	if token := w.token(record.TokenID); token == nil || token.Status == paistrike.StatusRevoked {
		if !w.broken[record.TokenID] {
			w.violate("I1: version %d serves token %s, which is revoked", len(w.cells), record.TokenID)
		}
	}
	w.safe[record.TokenID] = time.Time{}
}

// entry is what reading a version shows; 0 is the version that upTo allows to see.
func (w *smallWorld) entry(number, upTo int) vault.Entry {
	current := number == 0
	if current {
		number = upTo
	}
	managed, mirror := w.mirror()
	e := vault.Entry{Version: upTo, Condition: entry.Absent, Managed: managed, Mirror: mirror}
	if number < 1 || number > upTo {
		if !current {
			e.Version = number
		}
		return e
	}
	e.Version = number
	c := w.cells[number-1]
	if c.deleted {
		e.Condition = entry.Deleted
		return e
	}
	record := c.record
	record.Retiring = slices.Clone(record.Retiring)
	e.Condition, e.Record = entry.Live, &record
	return e
}

func (w *smallWorld) mirror() (bool, entry.Mirror) {
	mirror, err := entry.DecodeMirror(w.custom)
	return err == nil, mirror
}

func (w *smallWorld) metadata(upTo int) vault.Metadata {
	managed, mirror := w.mirror()
	m := vault.Metadata{Exists: upTo > 0, CurrentVersion: upTo, Condition: entry.Absent, Managed: managed, Mirror: mirror, Custom: maps.Clone(w.custom)}
	if upTo == 0 {
		return m
	}
	m.Condition = entry.Live
	if w.cells[upTo-1].deleted {
		m.Condition = entry.Deleted
	}
	for i := range upTo {
		if !w.cells[i].deleted {
			m.Versions = append(m.Versions, i+1)
		}
	}
	return m
}

// fingerprint is the whole state in one text.
func (w *smallWorld) fingerprint() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d|", w.now.Sub(firstDay)/time.Hour)
	for _, c := range w.cells {
		fmt.Fprintf(&b, "%s,%s,%d,%s,%s,%t", c.record.TokenID, c.record.Op, c.record.Base, c.record.State, c.record.Inc, c.deleted)
		for _, r := range c.record.Retiring {
			fmt.Fprintf(&b, ",%s@%d", r.ID, r.RevokeAfter.Unix())
		}
		b.WriteByte(';')
	}
	for _, t := range w.tokens {
		fmt.Fprintf(&b, "%s,%s;", t.Name, t.Status)
	}
	for _, key := range slices.Sorted(maps.Keys(w.custom)) {
		b.WriteString(key + "=" + w.custom[key] + ";")
	}
	for _, p := range w.pending {
		b.WriteString(p.label + ";")
	}
	for _, id := range slices.Sorted(maps.Keys(w.safe)) {
		fmt.Fprintf(&b, "%s<%d;", id, w.safe[id].Unix())
	}
	return b.String()
}

// forget drops what nobody asks for any more: versions beyond the ten that Vault
// keeps, and tokens revoked long ago.
func (w *smallWorld) forget() {
	if n := len(w.cells); n > 10 {
		w.cells[n-11] = cell{deleted: true}
	}
	if len(w.tokens) > 40 {
		for _, token := range w.tokens[:20] {
			delete(w.safe, token.ID)
		}
		w.tokens = slices.Delete(w.tokens, 0, 20)
	}
}

// directTokens and directStore reach the small world without a scheduler, for the
// clean run at the end.
type directTokens struct{ w *smallWorld }

func (d directTokens) List(context.Context) ([]paistrike.Token, error) {
	return slices.Clone(d.w.tokens), nil
}

func (d directTokens) Get(_ context.Context, id string) (paistrike.Token, error) {
	if token := d.w.token(id); token != nil {
		return *token, nil
	}
	return paistrike.Token{}, &paistrike.APIError{Op: "reading a token", Status: 404}
}

func (d directTokens) Create(_ context.Context, name string, expires time.Time) (paistrike.Minted, error) {
	return d.w.create(name, expires), nil
}

func (d directTokens) Verify(_ context.Context, secret secret.Secret) error {
	id := strings.TrimPrefix(secret.Reveal(), "secret of ")
	if token := d.w.token(id); token != nil && token.Usable(d.w.now) {
		return nil
	}
	return &paistrike.APIError{Op: "verifying a token", Status: 401}
}

func (d directTokens) Revoke(_ context.Context, id string) error {
	d.w.revoke(id)
	return nil
}

func (d directTokens) ServerTime() (time.Time, bool) { return d.w.now, true }

type directStore struct{ w *smallWorld }

func (d directStore) Mount(context.Context, string, string) (vault.Mount, error) {
	return vault.Mount{UUID: "0b5c", KVVersion: 2}, nil
}

func (d directStore) Capabilities(_ context.Context, _ string, paths ...string) (map[string][]string, error) {
	all := map[string][]string{}
	for _, path := range paths {
		all[path] = []string{"root"}
	}
	return all, nil
}

func (d directStore) TokenTTL(context.Context) (time.Duration, error) { return 0, nil }
func (d directStore) ServerTime(context.Context) (time.Time, error)   { return d.w.now, nil }
func (d directStore) Purge(context.Context, entry.Location) error     { return errors.ErrUnsupported }
func (d directStore) Metadata(context.Context, entry.Location) (vault.Metadata, error) {
	return d.w.metadata(len(d.w.cells)), nil
}

func (d directStore) Read(_ context.Context, _ entry.Location, version int) (vault.Entry, error) {
	return d.w.entry(version, len(d.w.cells)), nil
}

func (d directStore) Publish(_ context.Context, _ entry.Location, cas int, record entry.Record) (vault.Published, error) {
	return d.w.publish(cas, record)
}

func (d directStore) Patch(_ context.Context, _ entry.Location, custom map[string]string) error {
	for key, value := range custom {
		if value == "" {
			delete(d.w.custom, key)
		} else {
			d.w.custom[key] = value
		}
	}
	return nil
}

func (d directStore) Delete(_ context.Context, _ entry.Location, versions []int) error {
	for _, version := range versions {
		if version <= len(d.w.cells) {
			d.w.cells[version-1].deleted = true
		}
	}
	return nil
}

var (
	_ rotation.Tokens = directTokens{}
	_ rotation.Store  = directStore{}
)
