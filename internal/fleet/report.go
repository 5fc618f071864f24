package fleet

import (
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Outcome is the result for one entry.
type Outcome string

// Outcomes.
const (
	Rotated Outcome = "rotated" // a new token is in the store
	Settled Outcome = "settled" // the token is unchanged; remains of older ones were cleaned up
	Current Outcome = "current" // nothing to do
	Due     Outcome = "due"     // a run without dry_run would act
	Skipped Outcome = "skipped" // someone else's secret, or without a schedule
	Failed  Outcome = "failed"
	Closed  Outcome = "closed" // the entry serves no token; its tokens were not revoked
)

// Report is the result of a run. It contains no secret.
type Report struct {
	Time    time.Time `json:"time,omitzero"` // PAIStrike's time
	DryRun  bool      `json:"dry_run"`
	Entries Entries   `json:"entries"`

	Rotated int `json:"rotated"`
	Retired int `json:"retired"` // replaced tokens that were revoked
	Swept   int `json:"swept"`   // orphans that were revoked
	Failed  int `json:"failed"`
	Due     int `json:"due"`
	Overdue int `json:"overdue"`
	Skipped int `json:"skipped"`
	Current int `json:"current"`
	// NextRotationAt is the earliest scheduled rotation of all entries, or zero if there is
	// none.
	NextRotationAt time.Time `json:"next_rotation_at,omitzero"`

	total int
}

// Entry is the report on one entry of a store.
type Entry struct {
	Path    string  `json:"path"`
	Outcome Outcome `json:"outcome"`
	// Reason is why the token was, or would be, replaced.
	Reason    schedule.Reason `json:"reason,omitempty"`
	Note      string          `json:"note,omitempty"`
	TokenID   string          `json:"token_id,omitempty"`
	TokenName string          `json:"token_name,omitempty"`
	Replaced  string          `json:"replaced_token_id,omitempty"`
	Gen       int             `json:"secret_version,omitempty"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"` // zero: never
	NextAt    time.Time       `json:"next_rotation_at,omitzero"`
	Deadline  time.Time       `json:"deadline,omitzero"` // time at which before_expiry makes it due
	Window    time.Duration   `json:"-"`
	Overdue   bool            `json:"overdue,omitempty"`
	Previous  []Previous      `json:"previous_tokens,omitempty"`
	Retired   []string        `json:"retired_token_ids,omitempty"`
	Swept     []string        `json:"swept_token_ids,omitempty"`
	Problem   *Problem        `json:"problem,omitempty"`
	Warnings  []Problem       `json:"warnings,omitempty"`
}

// Compromised reports whether a token that was to be revoked at once may still work.
func (e Entry) Compromised() bool {
	return slices.ContainsFunc(e.Warnings, func(p Problem) bool { return rotation.StillWorks(p.Code) })
}

// Previous is a replaced token that still works.
type Previous struct {
	ID           string    `json:"id"`
	RevokeAfter  time.Time `json:"revoke_after"`
	SupersededAt time.Time `json:"-"`
}

// Problem is an error or a warning.
type Problem struct {
	Code    string `json:"code,omitempty"` // such as "PS311"; empty for an error without a code
	Summary string `json:"summary"`
	Detail  string `json:"detail,omitempty"`
}

func problemOf(err error) *Problem {
	if worded, ok := errors.AsType[*rotation.Error](err); ok {
		p := &Problem{Code: worded.Code, Summary: worded.Summary, Detail: worded.Detail}
		if worded.Err != nil {
			p.Detail += " (" + worded.Err.Error() + ")"
		}
		return p
	}
	return &Problem{Summary: err.Error()}
}

// problemsOf converts the notes of a run.
func problemsOf(notes []rotation.Message) []Problem {
	var all []Problem
	for _, note := range notes {
		all = append(all, Problem{Code: note.Code, Summary: note.Summary, Detail: note.Detail})
	}
	return all
}

func notReached() *Problem { return &Problem{Summary: "not processed before the run ended"} }

// add counts an entry, and keeps it unless it is neither due nor failed and onlyDue is true.
func (r *Report) add(e Entry, onlyDue bool) {
	if quiet := e.Outcome == Current || e.Outcome == Skipped; !quiet || !onlyDue {
		r.Entries.add(e)
	}
	r.total++
	switch e.Outcome {
	case Rotated:
		r.Rotated++
	case Failed:
		r.Failed++
	case Due:
		r.Due++
	case Skipped:
		r.Skipped++
	case Current:
		r.Current++
	case Settled, Closed:
	}
	r.Retired += len(e.Retired)
	r.Swept += len(e.Swept)
	if e.Overdue {
		r.Overdue++
	}
	if !e.NextAt.IsZero() && (r.NextRotationAt.IsZero() || e.NextAt.Before(r.NextRotationAt)) {
		r.NextRotationAt = e.NextAt
	}
}

// Total returns the number of entries that the run has examined.
func (r Report) Total() int { return r.total }
