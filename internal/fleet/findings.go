package fleet

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Severity is the severity of a finding.
type Severity string

// Severities. With an error, a consumer has no working token now or soon.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Code is the kind of a finding.
type Code string

// Codes, most severe first.
const (
	DeadInVault    Code = "dead_in_vault"   // the store serves a token that was revoked or has expired
	MissingToken   Code = "missing_token"   // the store serves a token that PAIStrike does not know
	Unreadable     Code = "unreadable"      // the entry's schedule cannot be determined
	StaleMetadata  Code = "stale_metadata"  // metadata does not describe the current version
	Overdue        Code = "overdue"         // the rotation should have happened
	Expiring       Code = "expiring"        // the token expires soon and no rotation is scheduled
	Orphan         Code = "orphan"          // created for an entry that does not refer to it
	JobLeftover    Code = "job_leftover"    // created for a job or a Terraform run that must have ended
	NoExpiry       Code = "no_expiry"       // never expires
	LongLife       Code = "long_life"       // lifetime exceeds max_expires_in
	NeverUsed      Code = "never_used"      // not used since it was created
	Unused         Code = "unused"          // not used for a long time
	DuplicateLabel Code = "duplicate_label" // several tokens have the same name
)

// Finding is one problem that needs attention.
type Finding struct {
	Code      Code     `json:"code"`
	Severity  Severity `json:"severity"`
	Path      string   `json:"path,omitempty"` // of the entry, if there is one
	TokenID   string   `json:"token_id,omitempty"`
	TokenName string   `json:"token_name,omitempty"`
	Detail    string   `json:"detail"`
	Fix       string   `json:"fix"`
	// Swept reports whether this run revoked the token.
	Swept bool `json:"swept,omitempty"`
}

// Limits are the thresholds for findings. All must be positive.
type Limits struct {
	UnusedAfter  time.Duration // minimum time without use
	MaxExpiresIn time.Duration // maximum lifetime
	WarnBefore   time.Duration // minimum remaining lifetime of a token without a scheduled rotation
	JobTime      time.Duration // maximum duration of a job
}

// held is the data from an entry's metadata that findings need.
type held struct {
	path string
	now  time.Time // time of the reading by PAIStrike's clock
	err  error     // why the entry cannot be judged
	// damaged explains why the metadata of an entry with a readable current version is
	// unusable.
	damaged error
	// unclear means that only the record knows which token is served.
	unclear bool
	// serves means that the entry serves the token in the metadata.
	serves    bool
	tokenID   string // from the metadata
	tokenName string
	token     paistrike.Token   // from PAIStrike
	astray    []paistrike.Token // working tokens named for this entry, which refers to others
	gen       int
	retiring  []string // IDs of replaced tokens
	// scheduled means that a schedule will replace the token.
	scheduled bool
	// overdue is the verdict on a token that should already have been replaced, or nil.
	overdue *schedule.Verdict
}

// hold returns the data of an entry that findings need.
func hold(seen rotation.Sight, t task) *held {
	h := &held{
		path: seen.At.Path, now: seen.Clock.PAIStrike, err: t.err, damaged: damage(seen), unclear: t.err != nil || seen.Stale() || seen.Foreign(),
		serves: t.err == nil && seen.Serves(), tokenID: seen.Mirror.TokenID, tokenName: seen.Mirror.TokenName, token: seen.Current,
		gen: seen.Mirror.Of, scheduled: t.text.Scheduled(),
	}
	for _, r := range seen.Mirror.Retiring {
		h.retiring = append(h.retiring, r.ID)
	}
	if overdue(seen.Clock.Rotate(), t.verdict) {
		verdict := t.verdict
		h.overdue = &verdict
	}
	for _, token := range seen.Tokens {
		if token.Usable(h.now) && !slices.Contains(h.retiring, token.ID) && (!h.serves || token.ID != h.tokenID) {
			h.astray = append(h.astray, token)
		}
	}
	return h
}

// auditor compares the account's tokens with the entries. It receives the entries one at a time.
// Of an entry without findings, it keeps only the ID of the served token.
type auditor struct {
	now    time.Time
	limits Limits
	serves map[string]served   // by token ID
	former map[string]bool     // IDs of replaced tokens in their overlap
	strays map[string]stray    // by ID, tokens named for an entry that does not refer to them
	labels map[string]string   // ID of the first token with a name
	twice  map[string][]string // IDs of the others
	found  []Finding
}

// served is the entry that serves a token.
type served struct {
	path      string
	scheduled bool
}

// stray is a token named for an entry that does not refer to it.
type stray struct {
	paistrike.Token

	home *held
}

func newAuditor(limits Limits, entries int) *auditor {
	return &auditor{
		limits: limits, serves: make(map[string]served, entries), former: map[string]bool{}, strays: map[string]stray{},
		labels: map[string]string{}, twice: map[string][]string{}, found: []Finding{},
	}
}

// entry judges an entry, and records the data to compare tokens with.
func (a *auditor) entry(h *held) {
	if h.serves {
		a.serves[h.tokenID] = served{h.path, h.scheduled}
	}
	for _, id := range h.retiring {
		a.former[id] = true
	}
	for _, token := range h.astray {
		a.strays[token.ID] = stray{token, h}
	}
	switch {
	case h.err != nil:
		a.add(unreadable(h))
	case h.damaged != nil:
		a.add(staleMetadata(h))
	case !h.serves:
	case h.token.Status == "":
		a.add(missingToken(h))
	case !h.token.Usable(h.now):
		a.add(deadInVault(h))
	case h.overdue != nil:
		a.add(rotationOverdue(h))
	}
}

// account judges the account's tokens after all entries. It returns the number of working tokens
// and all findings, most severe first. A token has only the finding that explains it best: an
// orphan is not also reported as unused.
func (a *auditor) account(now time.Time, tokens iter.Seq[paistrike.Token]) (working int, found []Finding) {
	a.now = now
	for token := range tokens {
		if token.Usable(now) {
			working++
			a.token(token)
		}
	}
	for id, token := range a.strays {
		if _, current := a.serves[id]; !current && !a.former[id] {
			a.stray(token)
		}
	}
	a.duplicates()
	slices.SortStableFunc(a.found, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(rank(x.Code), rank(y.Code)), cmp.Compare(x.Path, y.Path), cmp.Compare(x.TokenName, y.TokenName), cmp.Compare(x.TokenID, y.TokenID))
	})
	return working, a.found
}

func rank(code Code) int { return slices.Index(Codes(), code) }

// Codes returns all codes, most severe first.
func Codes() []Code {
	return []Code{
		DeadInVault, MissingToken, Unreadable, StaleMetadata, Overdue, Expiring, Orphan, JobLeftover, NoExpiry, LongLife, NeverUsed, Unused, DuplicateLabel,
	}
}

// token judges a working token.
func (a *auditor) token(token paistrike.Token) {
	by, current := a.serves[token.ID]
	name, managed := rotation.ParseName(token.Name)
	_, astray := a.strays[token.ID]
	switch {
	case a.former[token.ID]:
		return // a run revokes it after its overlap
	case astray && !current:
		return // judged with the other strays
	case IsJobToken(token.Name), rotation.IsRunName(token.Name):
		if !a.now.Before(token.CreatedAt.Add(a.limits.JobTime)) {
			a.add(jobLeftover(token))
		}
		return
	}
	if !managed || current {
		label := token.Name
		if managed {
			label = name.Label
		}
		a.label(label, token.ID)
		if a.endsSoon(token) && !by.scheduled {
			a.add(expiring(by.path, token, a.now))
		}
	}
	switch life := token.ExpiresAt.Sub(token.CreatedAt); {
	case token.Untold.Has(paistrike.Expiry): // unknown facts are not findings
	case token.ExpiresAt.IsZero():
		a.add(noExpiry(by.path, token))
	case !token.CreatedAt.IsZero() && life-roundedUp(token.ExpiresAt) > a.limits.MaxExpiresIn:
		a.add(longLife(by.path, token, life, a.limits.MaxExpiresIn))
	}
	a.use(by.path, token, managed)
}

// roundedUp returns how much the lifetime of a token may exceed its expires_in: a day if the
// service stores only dates. Otherwise it is a minute, because the expiry is counted from the
// latest of the clocks, and the creation time is PAIStrike's.
func roundedUp(end time.Time) time.Duration {
	if end.Equal(end.Truncate(24 * time.Hour)) {
		return 24 * time.Hour
	}
	return time.Minute
}

// damage explains why the metadata of an entry with a readable current version is unusable,
// or returns nil.
func damage(seen rotation.Sight) error {
	if seen.Stale() {
		return errStale
	}
	if _, _, err := seen.Schedule(); err != nil && seen.Serves() {
		return err
	}
	return nil
}

var errStale = errors.New("it describes another version, or calls the entry closed")

func (a *auditor) endsSoon(token paistrike.Token) bool {
	return !token.ExpiresAt.IsZero() && token.ExpiresAt.Sub(a.now) <= a.limits.WarnBefore
}

// stray judges a token whose name belongs to an entry that does not serve it. A token minted
// for the next generation is in flight for a day. If custom metadata is outdated, only the
// record knows, so stray reports nothing.
func (a *auditor) stray(token stray) {
	name, _ := rotation.ParseName(token.Name)
	if token.home.unclear || name.Gen > token.home.gen && a.now.Before(token.CreatedAt.Add(inFlight)) {
		return
	}
	a.add(orphan(token.home, token.Token))
}

// inFlight is how long a run can still publish a token. internal/rotation waits as long.
const inFlight = 24 * time.Hour

// use judges the last use of a token. Verification by the run that created it does not count
// as use.
func (a *auditor) use(path string, token paistrike.Token, managed bool) {
	if token.Untold.Has(paistrike.LastUsed) {
		return
	}
	never := token.LastUsedAt.IsZero() || managed && rotation.Unused(token)
	since := token.LastUsedAt
	if never {
		since = token.CreatedAt
	}
	switch {
	case since.IsZero() || a.now.Before(since.Add(a.limits.UnusedAfter)):
	case never:
		a.add(neverUsed(path, token))
	default:
		a.add(unused(path, token))
	}
}

// label records the name of an integration.
func (a *auditor) label(label, id string) {
	if _, taken := a.labels[label]; taken {
		a.twice[label] = append(a.twice[label], id)
		return
	}
	a.labels[label] = id
}

// duplicates finds names that do not identify a token's integration.
func (a *auditor) duplicates() {
	for label, others := range a.twice {
		a.add(duplicateLabel(label, append(others, a.labels[label])))
	}
}

func (a *auditor) add(f Finding) { a.found = append(a.found, f) }
