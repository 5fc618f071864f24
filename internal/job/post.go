package job

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// leftover is what the main step kept for the post step.
type leftover struct {
	names             []string
	id, name, expires string
	secret            secret.Secret
}

// leftovers reads what the main step kept. There is nothing to do if it asked for no token,
// or has revoked it already.
func leftovers(gh *runner.Runner) (left leftover, ok bool) {
	if gh.State(stateNames) == "" || gh.State(stateRevoked) == "true" {
		return left, false
	}
	left = leftover{
		id: gh.State(stateID), name: gh.State(stateName), expires: gh.State(stateExpires), secret: secret.New(gh.State(stateToken)),
	}
	if json.Unmarshal([]byte(gh.State(stateNames)), &left.names) == nil && left.name == "" && len(left.names) > 0 {
		left.name = left.names[len(left.names)-1]
	}
	return left, true
}

// post revokes what the main step has made. It runs whatever became of the job, and
// by default it never makes a good job red.
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
		gh.Say("Token " + left.id + " is left as it is, as revoke: false asks for.")
		return nil
	}
	// A cancel does not shorten this step: it is short, and what it does is what a
	// cancelled run needs.
	s, end := m.newSession(gh, set, postTime, nil)
	defer end()
	return s.settle(s.step, left)
}

// takeUp masks what is secret in the state of the main step, and restores its inputs.
func (m Machine) takeUp(gh *runner.Runner, left leftover) (settings, error) {
	if err := gh.Mask(left.secret); err != nil {
		return settings{}, err
	}
	kept := input.Values{}
	if len(left.names) == 0 || json.Unmarshal([]byte(gh.State(stateInputs)), &kept) != nil {
		return settings{}, errors.New("the state of the main step cannot be read")
	}
	set, err := parseToken(m.parser(input.FromRunner(input.Token(), m.Getenv).Restore(kept), input.Token()))
	if missing, ok := errors.AsType[*missingCredentialError](err); ok && !left.secret.IsZero() {
		gh.Debug("%v", missing) // the token revokes itself without them
		err = nil
	}
	if err != nil {
		return set, err
	}
	return set, gh.MaskAll(set.secrets)
}

// settle revokes and says how that went.
func (s *session) settle(ctx context.Context, left leftover) error {
	err := s.revoke(ctx, left)
	if err != nil && len(left.names) == 1 && s.expired(left.expires) {
		s.gh.Debug("%v", err)
		s.gh.Say("Token " + left.id + " has expired, so nothing is left to revoke.")
		return nil
	}
	if err == nil {
		return s.note(revokedNote(left, s.now()))
	}
	failed := revokeFailed(left.id, left.name, left.expires, err)
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

// revoke ends the token: by its own word where we hold it, which needs no other
// credential, else with the management token after a new login.
func (s *session) revoke(ctx context.Context, left leftover) error {
	var self error
	if !left.secret.IsZero() {
		if self = s.revokeSelf(ctx, left); self == nil && len(left.names) == 1 {
			return nil
		}
		if self != nil {
			s.gh.Debug("the token could not revoke itself: %v", self)
		}
	}
	// Either it could not, or an answer was lost before it was made: what was made
	// then is known by its name alone, and may have appeared after the main step
	// looked.
	err := s.revokeAsBroker(ctx, left)
	if err != nil && self != nil {
		return errors.Join(self, err)
	}
	return err
}

func (s *session) revokeSelf(ctx context.Context, left leftover) error {
	ctx, cancel := context.WithTimeout(ctx, postTime/2)
	defer cancel()
	client, err := s.client(left.secret)
	if err != nil {
		return err
	}
	if err := client.RevokeSelf(ctx); err != nil {
		return err
	}
	s.gh.Say("Token " + left.id + " (" + left.name + ") is revoked.")
	return nil
}

func (s *session) revokeAsBroker(ctx context.Context, left leftover) error {
	broker, err := s.fromVault(ctx)
	if err != nil {
		return err
	}
	client, err := s.client(broker.Secret)
	if err != nil {
		return err
	}
	if left.id != "" {
		if err := client.Revoke(ctx, left.id); err != nil {
			return err
		}
		s.gh.Say("Token " + left.id + " (" + left.name + ") is revoked.")
	}
	found, err := revokeNamed(ctx, client, left.names, left.id)
	for _, t := range found {
		s.gh.Say("Token " + t.ID + " (" + t.Name + ") is revoked; it was found by its name.")
	}
	if err == nil && left.id == "" && len(found) == 0 {
		s.gh.Say("PAIStrike knows no live token named " + left.name + ".")
	}
	return err
}

// expired reports whether a token's end has passed on this machine's clock.
func (s *session) expired(expires string) bool {
	end, err := time.Parse(time.RFC3339, expires)
	return err == nil && !s.now().Before(end)
}
