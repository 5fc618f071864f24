package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// The explorer runs the real engine against this small world. The world provides the two
// properties that the protocol depends on, a check-and-set register and a list of tokens,
// and nothing else, so that millions of steps take seconds.

// cell is one version of the entry.
type cell struct {
	id, follows entry.Revision
	record      entry.Record
	deleted     bool
}

// smallWorld contains the store, PAIStrike, and the clock of one execution.
type smallWorld struct {
	// opaque makes revisions IDs, as in AWS Secrets Manager, and lets a person move the
	// label of the current version back. Otherwise they are numbers, as in Vault.
	opaque  bool
	cells   []cell // in the order in which they first became current
	at      int    // the current version is cells[at-1]
	from    entry.Revision
	custom  map[string]string
	tokens  []paistrike.Token
	victims []string // IDs of tokens that do not belong to this entry
	minted  int
	now     time.Time
	pending []pendingWrite // requests in flight
	safe    map[string]time.Time
	broken  map[string]bool
	closing bool // a destroy is under way
	found   []string
}

// pendingWrite is a request that its sender has given up on.
type pendingWrite struct {
	label string
	land  func(*smallWorld)
}

func newSmallWorld() *smallWorld {
	w := &smallWorld{custom: map[string]string{}, now: firstDay, safe: map[string]time.Time{}, broken: map[string]bool{}}
	w.victims = []string{w.create("made by hand", time.Time{}).ID}
	return w
}

// clone returns an independent copy of the world. Records are never changed in place.
func (w *smallWorld) clone() *smallWorld {
	other := *w
	other.cells, other.tokens, other.pending = slices.Clone(w.cells), slices.Clone(w.tokens), slices.Clone(w.pending)
	other.custom, other.safe, other.broken = maps.Clone(w.custom), maps.Clone(w.safe), maps.Clone(w.broken)
	return &other
}

func (w *smallWorld) violate(format string, args ...any) {
	w.found = append(w.found, fmt.Sprintf(format, args...))
}

// create mints a token and returns it.
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

// revoke revokes a token and checks I1 and I2.
func (w *smallWorld) revoke(id string) {
	token := w.token(id)
	if token == nil || token.Status == paistrike.StatusRevoked {
		return
	}
	token.Status = paistrike.StatusRevoked
	if slices.Contains(w.victims, id) {
		w.violate("I7: token %s, which is not of this entry, is revoked", id)
	}
	if top := w.top(); top != nil && top.State == entry.StateActive && top.TokenID == id && !w.broken[id] {
		w.violate("I1: token %s is revoked while version %d serves it", id, len(w.cells))
	}
	if until, was := w.safe[id]; was && !w.closing && (until.IsZero() || w.now.Before(until)) && !w.broken[id] {
		w.violate("I2: token %s, which was current, is revoked before its overlap is over", id)
	}
}

// top returns the current record, or nil if none can be read.
func (w *smallWorld) top() *entry.Record {
	if w.at == 0 || w.cells[w.at-1].deleted {
		return nil
	}
	return &w.cells[w.at-1].record
}

// revision returns the revision of the current version.
func (w *smallWorld) revision() entry.Revision {
	if w.at == 0 {
		return ""
	}
	return w.cells[w.at-1].id
}

var errMismatch = errors.New("check-and-set did not match the current version")

// publish is the check-and-set write. It checks I1.
func (w *smallWorld) publish(base entry.Revision, record entry.Record) (entry.Published, error) {
	if base != w.revision() {
		return entry.Published{}, errMismatch
	}
	if record.State == entry.StateActive && rotation.Label(record.TokenName) != smallRequest.Label {
		w.violate("I7: token %s is published, which nothing but metadata asked for: %q", record.TokenID, record.TokenName)
	}
	w.put(record)
	return entry.Published{Revision: w.revision()}, nil
}

// put makes a record current, whoever writes it.
func (w *smallWorld) put(record entry.Record) {
	record.Key = "token"
	record.Retiring = slices.Clone(record.Retiring)
	id := entry.Revision(strconv.Itoa(len(w.cells) + 1))
	if w.opaque {
		id = "id-" + id + entry.Revision(record.Op)
	}
	w.cells = append(w.cells, cell{id: id, follows: w.revision(), record: record})
	w.at, w.from = len(w.cells), ""
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

// version returns what a read of a version shows. Version 0 is absent.
func (w *smallWorld) version(number int) entry.Version {
	if number < 1 || number > len(w.cells) {
		return entry.Version{Condition: entry.Absent}
	}
	c := w.cells[number-1]
	mirror, err := entry.DecodeMirror(w.custom)
	v := entry.Version{Revision: c.id, Follows: c.follows, Condition: entry.Deleted, Closed: err == nil && mirror.State == entry.StateTombstone && mirror.Revision == c.id}
	if number == w.at && w.from != "" {
		v.Follows = w.from // the label was moved here manually
	}
	if c.deleted {
		return v
	}
	record := c.record
	record.Retiring = slices.Clone(record.Retiring)
	v.Condition, v.Record = entry.Live, &record
	return v
}

// after returns the version that was published on top of a revision.
func (w *smallWorld) after(base entry.Revision) entry.Version {
	for i, c := range w.cells {
		if c.follows == base {
			v := w.version(i + 1)
			v.Follows = base
			return v
		}
	}
	return entry.Version{Condition: entry.Absent}
}

// glance returns what metadata shows.
func (w *smallWorld) glance(slot string) entry.Glance {
	v := w.version(w.at)
	g := entry.Glance{Slots: []string{slot}, Identity: slot, Revision: v.Revision, Follows: v.Follows, Condition: v.Condition, Rewinds: w.opaque}
	g.Managed, g.Mirror, g.Problem = entry.ReadMirror(w.custom)
	return g
}

// describe merges a mirror into the metadata without check-and-set, as a store does.
func (w *smallWorld) describe(mirror entry.Mirror) {
	w.custom = maps.Clone(w.custom)
	for key, value := range entry.EncodeMirror(mirror) {
		if value == "" {
			delete(w.custom, key)
		} else {
			w.custom[key] = value
		}
	}
}

// hide deletes every version up to upTo.
func (w *smallWorld) hide(upTo int) {
	w.cells = slices.Clone(w.cells)
	for i := range min(upTo, len(w.cells)) {
		w.cells[i].deleted = true
	}
}

// fingerprint returns the whole state as one text.
func (w *smallWorld) fingerprint() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d|%d|%s|", w.now.Sub(firstDay)/time.Hour, w.at, w.from)
	for _, c := range w.cells {
		fmt.Fprintf(&b, "%s,%s,%s,%d,%s,%s,%s,%t", c.record.TokenID, c.record.Op, c.record.Base, c.record.Gen, c.record.Owner, c.record.State, c.record.Inc, c.deleted)
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

// forget drops what is never read again: versions beyond the ten that Vault keeps, and
// tokens that were revoked long ago.
func (w *smallWorld) forget() {
	if n := len(w.cells); n > 10 {
		w.cells[n-11] = cell{id: w.cells[n-11].id, follows: w.cells[n-11].follows, deleted: true}
	}
	if len(w.tokens) > 40 {
		for _, token := range w.tokens[:20] {
			delete(w.safe, token.ID)
		}
		w.tokens = slices.Delete(w.tokens, 0, 20)
	}
}

// directTokens and directStore access the small world without a scheduler, for the clean
// runs at the end.
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

func (d directTokens) ServerTime() (time.Time, bool)                  { return d.w.now, true }
func (d directTokens) As(secret.Secret) rotation.Tokens               { return d }
func (d directTokens) MayBeOwn(context.Context, string) (bool, error) { return false, nil }
func (d directTokens) Endpoint() string                               { return "https://paistrike.example.com" }
func (d directTokens) DropsRevoked() bool                             { return false }

// smallSlot is the slot of the only entry.
const smallSlot = "k3v7q2m6xtab"

type directStore struct {
	w *smallWorld
}

func (d directStore) Check(context.Context, entry.Location, entry.Revision, time.Duration) error {
	return nil
}
func (d directStore) Now(context.Context) (time.Time, error) { return d.w.now, nil }

func (d directStore) Look(context.Context, entry.Location) (entry.Glance, error) {
	return d.w.glance(smallSlot), nil
}

func (d directStore) Read(context.Context, entry.Location) (entry.Version, error) {
	return d.w.version(d.w.at), nil
}

func (d directStore) After(_ context.Context, _ entry.Location, base entry.Revision) (entry.Version, error) {
	return d.w.after(base), nil
}

func (d directStore) Publish(_ context.Context, _ entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	return d.w.publish(base, record)
}

func (d directStore) Describe(_ context.Context, _ entry.Location, mirror entry.Mirror) error {
	d.w.describe(mirror)
	return nil
}

func (d directStore) Close(_ context.Context, _ entry.Location, tombstone entry.Revision, mirror entry.Mirror, _ entry.Ending) error {
	if d.w.revision() != tombstone {
		return entry.ErrSuperseded
	}
	d.w.describe(mirror)
	d.w.hide(d.w.at)
	return nil
}

// engine returns an engine on the world without a scheduler.
func (w *smallWorld) engine(nonces *actor) *rotation.Engine {
	return rotation.New(directTokens{w}, directStore{w}, rotation.WithRandom(nonces), rotation.WithSleep(noSleep), rotation.WithNow(func() time.Time { return w.now }))
}

var (
	_ rotation.Tokens = directTokens{}
	_ rotation.Store  = directStore{}
)
