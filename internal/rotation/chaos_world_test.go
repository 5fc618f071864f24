package rotation_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// chaos is a world in which anything may go wrong, with a witness of what really happens
// on its servers.
type chaos struct {
	*witness
	tried   figures
	dice    *rand.Rand
	victim  string // a token that was created manually
	copied  backend
	held    []consumer
	secrets []string
	pending []func()
	trace   []string
	depth   int // of runs within a run
	others  int // how often another run took place within a run
	// critical is true while a run is between its mint and its publication. Its deadline
	// of 90 seconds keeps that time short.
	critical bool
	declared bool // a run is under way for which the user declared the old tokens compromised
}

// consumer keeps a secret that was current when it was read.
type consumer struct {
	id     string
	secret secret.Secret
}

func newChaos(t testing.TB, row storeRow, seed uint64) *chaos {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	source := rand.NewChaCha8(key)
	account := testparts.NewAccountOn(t, "Terraform", sandbox.Options{Start: firstDay, Random: source})
	w := worldOf(t, row.memory(), account, "ci")
	w.random = source
	c := &chaos{witness: newWitness(w), dice: rand.New(source), secrets: []string{account.Management}} //nolint:gosec // dice
	c.tell = c.note
	c.victim, _ = account.Mint("made by hand", time.Time{})
	return c
}

// work is the work of one run over a wire. It returns the IDs that it reports as revoked,
// and its messages.
type work func(wire http.RoundTripper) (ended []string, says []rotation.Message, err error)

// run performs a process's work while calls fail, PAIStrike may lie to it, and other
// processes run between its calls.
func (c *chaos) run(title string, do work) {
	c.tried.runs++
	c.note("%s", title)
	wire := c.wire()
	var next http.RoundTripper = wire
	if c.chance(1, 4) {
		next = c.lied(wire)
	}
	others, live := c.others, len(c.live())
	_, wire.was = c.served()
	ended, says, err := do(next)
	c.note("-> ended %d, %v", len(ended), err)
	wire.err = err
	if c.others == others {
		wire.truthful(live)
	}
	destroyer, compromised := c.destroyer, c.compromised
	for _, deliver := range slices.Concat(wire.late, wire.later, c.late) {
		c.pending = append(c.pending, func() {
			c.destroyer, c.compromised = destroyer, compromised
			deliver()
			c.destroyer, c.compromised = "", false
		})
	}
	c.late = nil
	c.destroyer, c.compromised, c.critical = "", false, false
	c.believed(ended, says, err)
}

// wire returns a wire on which some calls fail and other processes run between calls.
func (c *chaos) wire() *faultyWire {
	wire := &faultyWire{witness: c.witness, script: map[int]fault{}}
	wire.before = func(call int, r *http.Request) {
		c.critical = c.critical || toPAIStrike("POST", tokensPath)(r)
		if c.chance(1, 20) {
			wire.script[call] = pick(c.dice, c.backend.faults())
			c.tried.faults++
			c.note("call %d: %s", call, wire.script[call])
		}
		if c.depth == 0 && c.chance(1, 40) {
			c.depth, c.others = 1, c.others+1
			destroyer, compromised, critical := c.destroyer, c.compromised, c.critical
			c.destroyer, c.compromised = "", false
			c.step()
			c.destroyer, c.compromised, c.critical = destroyer, compromised, critical
			c.depth = 0
		}
	}
	return wire
}

// lied returns a wire on which PAIStrike or the store lies, always or occasionally.
func (c *chaos) lied(wire http.RoundTripper) http.RoundTripper {
	l, always := pick(c.dice, slices.Concat(lies(), c.backend.lies())), c.chance(1, 2)
	lying := l.tell(c.world, wire, c.victim)
	c.tried.lies++
	c.note("a lie: %s (always: %t)", l.name, always)
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if always || c.chance(1, 2) {
			return lying.RoundTrip(r)
		}
		return wire.RoundTrip(r)
	})
}

// believed checks I5 and I8 for what a run reports.
func (c *chaos) believed(ended []string, says []rotation.Message, err error) {
	for _, id := range ended {
		if c.tokenOf(id).Status == string(paistrike.StatusActive) {
			c.violate("I8: token %s is called revoked, and works", id)
		}
	}
	text := fmt.Sprint(says, err)
	for _, secret := range c.secrets {
		if strings.Contains(text, secret) {
			c.violate("I5: a secret is in %q", text)
		}
	}
}

// engineRun is one run of a new process.
func (c *chaos) engineRun(title string, request rotation.Request) {
	c.run(title, func(wire http.RoundTripper) ([]string, []rotation.Message, error) {
		result, err := c.engine(wire).Run(context.Background(), request)
		return append(result.Retired, result.Swept...), result.Notes, err
	})
}

// terraform applies the configuration of a resource, or creates it again.
func (c *chaos) terraform(owner string, creates bool) {
	request := c.request(rotation.IfDue, schedule.ReasonNone)
	title := "apply"
	if creates {
		request, title = c.request(rotation.Rotate, schedule.ReasonCreated), "create"
	}
	if owner != "resource-1" {
		c.tried.neighbors++
	}
	request.Owner, request.MayRepublish = owner, true
	c.engineRun(title+" of "+owner, request)
}

// scheduled runs the workflow that rotates due tokens.
func (c *chaos) scheduled() {
	c.engineRun("rotate", rotation.Request{At: c.at, Stored: true, Wish: rotation.IfDue, MayRepublish: true})
}

func (c *chaos) forced() {
	c.engineRun("rotate --force", rotation.Request{At: c.at, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonForced})
}

// incident replaces a token that its user declared compromised.
func (c *chaos) incident() {
	c.compromised, c.declared = true, true
	defer func() { c.declared = false }()
	c.engineRun("revoke_previous", rotation.Request{At: c.at, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonIncident, RevokePrevious: true})
}

func (c *chaos) destroy(owner string) {
	request := rotation.DestroyRequest{At: c.at, Owner: owner, Ending: entry.EndDelete}
	if owner != "resource-1" {
		c.tried.neighbors++
		request.TokenIDs = []string{c.victim}
	}
	c.destroyer = owner
	c.run("destroy of "+owner, func(wire http.RoundTripper) ([]string, []rotation.Message, error) {
		result, err := c.engine(wire).Destroy(context.Background(), request)
		return result.Revoked, result.Notes, err
	})
}

// serving returns the record that consumers read, or nil without one.
func (c *chaos) serving() *entry.Record {
	if record, _ := c.served(); record != nil && record.State == entry.StateActive {
		return record
	}
	return nil
}

func (c *chaos) humanRevokes() {
	if record := c.serving(); record != nil {
		c.note("a person revokes the current token")
		c.broken[record.TokenID] = true
		c.paistrike.Revoke(record.TokenID)
	}
}

// humanRollsBack makes the former version current again. A person cannot make a token work
// again that is revoked, or that may be revoked at any moment.
func (c *chaos) humanRollsBack() {
	record := c.serving()
	if record == nil {
		return
	}
	old := c.backend.former(c.world)
	if old == nil || old.State != entry.StateActive {
		return
	}
	c.note("a person goes back to generation %d", old.Gen)
	until, was := c.once[old.TokenID]
	if !was || c.declared || !until.IsZero() && !c.now().Before(until) || c.tokenOf(old.TokenID).Status != string(paistrike.StatusActive) {
		c.broken[old.TokenID] = true
	}
	c.backend.goBack(c.world)
	c.serves(old.TokenID)
	// If the label was moved back and then forward again, the tokens keep the overlap of
	// the original publication.
	now, err := c.backend.open(c.world, c.world.wire()).Read(context.Background(), c.at)
	if err != nil {
		c.t.Fatal(err)
	}
	if known := slices.IndexFunc(old.Retiring, func(r entry.Retiring) bool { return r.ID == record.TokenID }); known >= 0 && now.Follows == old.Base {
		c.once[record.TokenID] = old.Retiring[known].RevokeAfter
	}
}

// metadataIsForged writes what someone with access to metadata alone could write.
func (c *chaos) metadataIsForged() {
	if record, _ := c.served(); record == nil {
		return
	}
	c.tried.neighbors++
	forged := pick(c.dice, []map[string]any{
		{"paistrike_retiring": c.victim + "@2026-01-05T09:00:00Z"},
		{"paistrike_expires_in": "never", "paistrike_overlap": "1s"},
		{"paistrike_state": "tombstone"},
		{"paistrike_owner": "resource-2"},
		{"paistrike_token_id": c.victim},
		{"paistrike_rotation_period": nil, "paistrike_next_rotation": nil},
		{"managed_by": nil},
		{"paistrike_created_at": "yesterday"},
		{"paistrike_mirror_of": "900", "paistrike_revision": "900"},
	})
	c.note("metadata is forged: %v", forged)
	c.backend.label(c.world, forged)
}

// recordIsForged writes what someone with write access to the record could write. On top
// of a version that a person wrote, such a record would look like the protocol's own and
// shorten overlaps. That case is left out: whoever may write the secret can do worse.
func (c *chaos) recordIsForged() {
	record := c.serving()
	if record == nil {
		return
	}
	now, err := c.backend.open(c.world, c.world.wire()).Read(context.Background(), c.at)
	if err != nil || record.Base != now.Follows {
		return
	}
	c.tried.neighbors++
	forged := *record
	forged.Base, forged.Gen = now.Revision, record.Gen+1
	for _, token := range c.paistrike.Tokens() {
		if !c.named(token) {
			forged.Retiring = append(forged.Retiring, entry.Retiring{ID: token.ID, Name: token.Name, SupersededAt: firstDay, RevokeAfter: firstDay})
		}
	}
	content, err := entry.EncodeRecord(c.at.Key, forged)
	if err != nil {
		c.t.Fatal(err)
	}
	c.note("the record is forged")
	c.backend.write(c.world, content)
}

// copyWorks runs the schedule of a copy of the store. The copy is made on the first call.
func (c *chaos) copyWorks() {
	if c.copied == nil && c.serving() == nil {
		return
	}
	if c.copied == nil {
		c.copied = c.backend.clone()
		c.note("the store is copied")
	}
	c.tried.neighbors++
	copied := c.on(c.copied)
	copied.identity = "staging.example.com:8200"
	c.run("rotate on the copy", func(wire http.RoundTripper) ([]string, []rotation.Message, error) {
		toCopy := roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == paistrikeHost {
				return wire.RoundTrip(r)
			}
			return copied.send(r)
		})
		result, err := copied.engine(toCopy).Run(context.Background(), rotation.Request{At: c.at, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonForced})
		if err == nil || result.Rotated {
			c.violate("I7: a copy of the store rotated: %+v", result)
		}
		return append(result.Retired, result.Swept...), result.Notes, err
	})
}

// consume makes the consumers of the entry call PAIStrike: one that reads the store each
// time, and others that keep what they read for as long as the overlap.
func (c *chaos) consume() {
	works := func(id string, value secret.Secret) bool {
		token := c.tokenOf(id)
		expired := !token.ExpiresAt.IsZero() && !c.now().Before(token.ExpiresAt)
		return c.accepts(value) || c.broken[id] || expired
	}
	if record := c.serving(); record != nil {
		if !works(record.TokenID, record.Secret) {
			c.violate("I1: a consumer reads token %s, which is refused", record.TokenID)
		}
		c.held = append(c.held, consumer{record.TokenID, record.Secret})
		c.secrets = append(c.secrets, record.Secret.Reveal())
	}
	c.held = slices.DeleteFunc(c.held, func(k consumer) bool {
		until, was := c.once[k.id]
		return !was || !until.IsZero() && !c.now().Before(until)
	})
	for _, k := range c.held {
		if !works(k.id, k.secret) {
			c.violate("I2: a consumer that keeps token %s for its overlap is refused", k.id)
		}
	}
}
