package rotation

import (
	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Strangers counts the usable tokens of the slot that someone uses and that the mirror
// does not name; see [observation.strangers].
func (s Sight) Strangers() int {
	if !s.Serves() {
		return 0
	}
	count := 0
	for _, token := range s.Tokens {
		if _, named := s.listed[token.ID]; !named && Used(token) && token.Usable(s.Clock.Now()) {
			count++
		}
	}
	return count
}

// Obstacle returns the reason why an entry must not be changed, in words for the user, or
// nil. It depends on metadata alone.
func (s Sight) Obstacle() error {
	o := observation{Sight: s}
	switch {
	case o.newerSchema():
		return newerRelease(s.At, s.Problem)
	case s.Copied():
		return copiedEntry(s.At, s.Identity, s.Mirror.Identity)
	}
	return nil
}

// MayPublish returns an error if the entry belongs to someone else: a foreign secret, a
// copy of another store's record, or the token of another resource. When the entry is
// written, the record decides.
func (s Sight) MayPublish(owner, label string, coming, adopt bool) error {
	if adopt {
		return nil
	}
	switch {
	case s.Obstacle() != nil:
		return s.Obstacle()
	case s.Foreign():
		return foreignEntry(s.At, nil)
	case s.Serves():
		return mayOwn(s.At, s.record(), owner, label, coming)
	}
	return nil
}

// TakesOver returns a message for a plan that names the present owner, and true, if a
// publication by owner would take the entry over from another resource.
func (s Sight) TakesOver(owner string) (Message, bool) {
	if !s.OwnedByOther(owner) {
		return Message{}, false
	}
	return takesOver(s.At, s.record()), true
}

// record returns the part of the record that metadata repeats.
func (s Sight) record() entry.Record {
	return entry.Record{
		TokenID: s.Mirror.TokenID, TokenName: s.Mirror.TokenName, Owner: s.Mirror.Owner, Gen: s.Mirror.Of, CreatedAt: s.Mirror.CreatedAt,
	}
}

// Schedule returns the schedule that metadata shows. The error is an [*Error].
func (s Sight) Schedule() (schedule.Schedule, schedule.Policy, error) {
	if err := s.Obstacle(); err != nil {
		return schedule.Schedule{}, schedule.Policy{}, err
	}
	if s.Problem != nil {
		return schedule.Schedule{}, schedule.Policy{}, badMirror(s.At, s.Problem)
	}
	policy, err := s.Mirror.Schedule.Checked(s.Mirror.ExpiresAt)
	if err != nil {
		return s.Mirror.Schedule, schedule.Policy{}, badMirror(s.At, err)
	}
	return s.Mirror.Schedule, policy, nil
}
