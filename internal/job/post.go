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

// leftover is what the main step kept for the post step.
type leftover struct {
	names             []string // of all tokens that may exist, the known one's among them
	id, name, expires string   // id is "" if no token is known; name is then the last one asked for
	secret            secret.Secret
	asked             time.Time // when the last token was asked for
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
	left.asked, _ = time.Parse(time.RFC3339, gh.State(stateAsked)) // the zero time looks once
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
	s, end := m.newSession(gh, set, postTime+lookTime, nil)
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
	set, err := parseToken(m.parser(input.FromRunner(input.Token(), m.Getenv).Restore(kept), input.Token(), true))
	if missing, ok := errors.AsType[*missingCredentialError](err); ok && !left.secret.IsZero() {
		gh.Debug("%v", missing) // the token revokes itself without them
		err = nil
	}
	if err != nil {
		return set, err
	}
	return set, gh.MaskAll(set.secrets)
}

// settle revokes, and says what was seen of it.
func (s *session) settle(ctx context.Context, left leftover) error {
	revoked, err := s.revoke(ctx, left)
	for _, t := range revoked {
		if t.ID == left.id {
			s.gh.Say("Token " + t.ID + " (" + t.Name + ") is revoked.")
			continue
		}
		s.gh.Say("Token " + t.ID + " (" + t.Name + ") is revoked; it was found by its name.")
	}
	if err != nil && len(left.names) == 1 && s.expired(left.expires) {
		s.gh.Debug("%v", err)
		s.gh.Say("Token " + cmp.Or(left.id, left.name) + " has expired, so nothing is left to revoke.")
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

// revoke ends the token: by its own word if we hold it, which needs no other credential, else
// with the management token after a new login. It returns the tokens that are revoked now.
func (s *session) revoke(ctx context.Context, left leftover) ([]paistrike.Token, error) {
	var revoked []paistrike.Token
	known := paistrike.Token{ID: left.id, Name: left.name}
	unheard := left.names // asked for, and no answer
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

// unseenError says that tokens were asked for, and that none of the names was ever listed.
type unseenError struct{ names []string }

func (e *unseenError) Error() string { return "PAIStrike lists no token of that name" }

// lookFor revokes the tokens that were asked for under names without an answer. A create that
// is still under way lands when it likes, so it looks until it finds each name, or until then
// has passed. A name that was never seen is an [*unseenError].
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

// expired reports whether a token's end has passed on this machine's clock.
func (s *session) expired(expires string) bool {
	end, err := time.Parse(time.RFC3339, expires)
	return err == nil && !s.now().Before(end)
}
