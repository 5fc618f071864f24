package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// leftover is the state that the main step saved for the post step.
type leftover struct {
	names             []string // names of all tokens that may exist, including the known one
	id, name, expires string   // id is "" if no token is known; name is then the last one requested
	secret            secret.Secret
	asked             time.Time // time of the last request for a token
}

// leftovers reads the saved state. ok is false if no token was requested or all are revoked.
func leftovers(gh *runner.Runner) (left leftover, ok bool) {
	if gh.State(stateNames) == "" || gh.State(stateRevoked) == "true" {
		return left, false
	}
	left = leftover{
		id: gh.State(stateID), name: gh.State(stateName), expires: gh.State(stateExpires), secret: secret.New(gh.State(stateToken)),
	}
	left.asked, _ = time.Parse(time.RFC3339, gh.State(stateAsked)) // with the zero time, the post step looks once
	if json.Unmarshal([]byte(gh.State(stateNames)), &left.names) == nil && left.name == "" && len(left.names) > 0 {
		left.name = left.names[len(left.names)-1]
	}
	return left, true
}

// post revokes what the main step created. It runs regardless of the job's result and, by
// default, never fails a successful job.
func (m Machine) post(gh *runner.Runner) error {
	left, ok := leftovers(gh)
	if !ok {
		return nil
	}
	set, err := m.takeUp(gh, left)
	if err != nil {
		failed := revokeFailed(left.id, left.name, left.expires, err)
		if set.revokeOrFail {
			return failed
		}
		gh.Warn(codeRevoke, failed.Error())
		return nil
	}
	if !set.revoke {
		gh.Say("Token " + left.id + " is not revoked because of revoke: false.")
		return nil
	}
	// A cancellation does not end this step: it is short, and a cancelled run needs it.
	s, end := m.newSession(gh, set, postTime+lookTime, nil)
	defer end()
	return s.settle(s.step, left)
}

// takeUp masks the secrets in the saved state and restores the main step's inputs.
func (m Machine) takeUp(gh *runner.Runner, left leftover) (settings, error) {
	if err := gh.Mask(left.secret); err != nil {
		return settings{}, err
	}
	kept := input.Values{}
	if len(left.names) == 0 || json.Unmarshal([]byte(gh.State(stateInputs)), &kept) != nil {
		return settings{}, errors.New("the state of the main step cannot be read")
	}
	set, err := parseToken(m.parser(input.FromRunner(input.Token(), m.Getenv).Restore(kept), input.Token(), true))
	if missing, ok := errors.AsType[*missingCredentialError](err); ok && !left.secret.IsZero() {
		gh.Debug("%v", missing) // the token revokes itself without these inputs
		err = nil
	}
	if err != nil {
		return set, err
	}
	return set, gh.MaskAll(set.secrets)
}

// settle revokes the tokens and reports the result.
func (s *session) settle(ctx context.Context, left leftover) error {
	revoked, err := s.revoke(ctx, left)
	for _, t := range revoked {
		if t.ID == left.id {
			s.gh.Say("Token " + t.ID + " (" + t.Name + ") is revoked.")
			continue
		}
		s.gh.Say("Token " + t.ID + " (" + t.Name + ") was found by its name and is revoked.")
	}
	if err != nil && len(left.names) == 1 && s.expired(left.expires) {
		s.gh.Debug("%v", err)
		s.gh.Say("Token " + cmp.Or(left.id, left.name) + " has expired, so there is nothing to revoke.")
		return nil
	}
	if err == nil {
		return s.note(revokedNote(revoked, s.now()))
	}
	failed := revokeFailed(left.id, left.name, left.expires, err)
	if unseen, ok := errors.AsType[*unseenError](err); ok {
		failed = mayExist(strings.Join(unseen.names, " or "), left.expires, err)
	}
	if note := s.note(notRevokedNote(failed)); note != nil {
		s.gh.Debug("%v", note)
	}
	if s.set.revokeOrFail {
		return failed
	}
	s.gh.Warn(codeRevoke, failed.Error())
	return nil
}

func (s *session) note(markdown string) error {
	if !s.set.summary {
		return nil
	}
	if err := s.gh.Summarize(markdown); err != nil {
		s.gh.Debug("%v", err)
	}
	return nil
}

// revoke revokes the token with its own secret if that is known, which needs no other
// credential, and otherwise with the management token after a new login. It returns the
// tokens that are now revoked.
func (s *session) revoke(ctx context.Context, left leftover) ([]paistrike.Token, error) {
	var revoked []paistrike.Token
	known := paistrike.Token{ID: left.id, Name: left.name}
	unheard := left.names // requested, but no response was received
	var self error
	if left.id != "" {
		unheard = slices.DeleteFunc(slices.Clone(left.names), func(name string) bool { return name == left.name })
	}
	if !left.secret.IsZero() {
		if self = s.revokeSelf(ctx, left); self == nil {
			revoked = append(revoked, known)
		} else {
			s.gh.Debug("the token could not revoke itself: %v", self)
		}
	}
	if len(revoked) > 0 && len(unheard) == 0 {
		return revoked, nil
	}
	client, err := s.asBroker(ctx)
	if err != nil {
		return revoked, errors.Join(self, err)
	}
	if left.id != "" && len(revoked) == 0 {
		switch err := client.End(ctx, left.id, paistrike.Sent(left.names...)); {
		case errors.Is(err, paistrike.ErrUnknown):
			unheard = left.names // it may be listed in a moment
		case err != nil:
			return revoked, errors.Join(self, err)
		default:
			revoked = append(revoked, known)
		}
	}
	found, err := s.lookFor(ctx, client, unheard, left.asked.Add(lookTime))
	return append(revoked, found...), err
}

func (s *session) revokeSelf(ctx context.Context, left leftover) error {
	ctx, cancel := context.WithTimeout(ctx, postTime/2)
	defer cancel()
	client, err := s.client(left.secret)
	if err != nil {
		return err
	}
	return client.RevokeSelf(ctx)
}

func (s *session) asBroker(ctx context.Context) (*paistrike.Client, error) {
	broker, err := s.fromStore(ctx)
	if err != nil {
		return nil, err
	}
	return s.client(broker.Secret)
}

// unseenError reports that tokens were requested but never listed under their names.
type unseenError struct{ names []string }

func (e *unseenError) Error() string { return "PAIStrike lists no token with that name" }

// lookFor revokes tokens that were requested without a response. A create may still take
// effect, so lookFor polls until it has found each name or until then has passed. It returns
// an [*unseenError] for names that were never listed.
func (s *session) lookFor(ctx context.Context, client *paistrike.Client, names []string, then time.Time) ([]paistrike.Token, error) {
	var revoked []paistrike.Token
	for len(names) > 0 {
		found, err := revokeNamed(ctx, client, names)
		revoked = append(revoked, found...)
		if err != nil {
			return revoked, err
		}
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return slices.ContainsFunc(found, func(t paistrike.Token) bool { return t.Name == name })
		})
		left := then.Sub(s.now())
		if len(names) == 0 || left <= 0 {
			break
		}
		if err := s.sleep(ctx, min(lookPause, left)); err != nil {
			return revoked, err
		}
	}
	if len(names) > 0 {
		return revoked, &unseenError{names}
	}
	return revoked, nil
}

// expired reports whether the expiry has passed by this machine's clock.
func (s *session) expired(expires string) bool {
	end, err := time.Parse(time.RFC3339, expires)
	return err == nil && !s.now().Before(end)
}
