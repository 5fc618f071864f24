package job

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// The names under which the post step finds what the main step kept.
const (
	stateInputs  = "inputs"     // those that are not secret, as JSON
	stateNames   = "names"      // of every token that was asked for and may exist, as JSON
	stateAsked   = "asked_at"   // when the last of them was asked for, by this machine's clock
	stateID      = "token_id"   // of the token that was made
	stateName    = "token_name" // of the token that was made
	stateToken   = "token"      // its secret, with which it revokes itself
	stateExpires = "expires_at"
	stateRevoked = "revoked" // "true": nothing is left to do
)

// mint makes a token for this job alone.
func (s *session) mint(ctx context.Context, inputs input.Values) error {
	broker, err := s.fromStore(ctx)
	if err != nil {
		return err
	}
	client, err := s.client(broker.Secret)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(inputs.Plain())
	if err != nil {
		return err
	}
	if err := s.gh.SaveState(stateInputs, string(kept)); err != nil {
		return err
	}
	minted, err := s.create(ctx, client, s.expiry(ctx, client, broker.Time))
	if err != nil {
		return err
	}
	t := token{Token: minted.Token, secret: minted.Secret, source: "minted"}
	if err := s.accept(ctx, client, t); err != nil {
		return s.takeBack(ctx, client, t, err)
	}
	return nil
}

// expiry is when the token ends, by the clock of Vault, which has just answered: this machine's
// own may be hours off. If Vault did not say, PAIStrike is asked who calls, for its clock.
func (s *session) expiry(ctx context.Context, client *paistrike.Client, server time.Time) time.Time {
	if server.IsZero() {
		if _, err := client.Self(ctx); err != nil {
			s.gh.Debug("PAIStrike does not say who calls: %v", err) // the create says what is wrong
		}
		server = s.serverNow(client)
	}
	return server.Add(s.set.expiresIn).Truncate(time.Second)
}

// create asks for a token. Its name is kept before it is asked for: the post step finds by
// it what was made though nobody heard of it. If the outcome is not known, what may have been
// made is revoked, and one more is asked for.
func (s *session) create(ctx context.Context, client *paistrike.Client, expires time.Time) (paistrike.Minted, error) {
	var names []string // under which a token may exist
	for attempt := 1; ; attempt++ {
		if err := s.ended(ctx); err != nil {
			return paistrike.Minted{}, err
		}
		name := s.tokenName()
		if err := s.saveAsked(append(slices.Clone(names), name), expires); err != nil {
			return paistrike.Minted{}, err
		}
		m := &minter{s: s, client: client}
		minted, err := paistrike.MintOnce(ctx, m, name, expires)
		m.end()
		lost, isLost := errors.AsType[*paistrike.LostError](err)
		if !isLost {
			return minted, errors.Join(s.createFailed(ctx, err), s.settled(err, names))
		}
		if lost.Revoked {
			s.gh.Warn(codeRecovered, recovered(lost.ID, lost.Name))
		}
		if lost.MayExist {
			names = append(names, name)
		}
		switch ended := s.ended(ctx); {
		case m.failed && ended != nil:
			return paistrike.Minted{}, ended
		case m.failed, attempt == 2:
			return paistrike.Minted{}, errors.Join(outcomeUnknown(lost, len(names) > 0), s.settled(lost, names))
		}
	}
}

// minter is PAIStrike for one create. Each call may take its time although the run is
// cancelled.
type minter struct {
	s      *session
	client *paistrike.Client
	failed bool // what became of the create could not be cleared up

	cleanup context.Context //nolint:containedctx // one budget for all that follows a lost answer
	cancel  context.CancelFunc
}

// Create sends one create, and lets it come to its end: a token that was made is better
// known.
func (m *minter) Create(ctx context.Context, name string, expires time.Time) (paistrike.Minted, error) {
	ctx, cancel := graceful(ctx, m.s.set.timeout, createGrace)
	defer cancel()
	return m.client.Create(ctx, name, expires)
}

// List reads the account's tokens, after an answer was lost.
func (m *minter) List(ctx context.Context) ([]paistrike.Token, error) {
	m.cleanup, m.cancel = m.s.cleanup(ctx)
	tokens, err := m.client.List(m.cleanup) //nolint:contextcheck // derived from ctx
	m.failed = m.failed || err != nil
	return tokens, err
}

// End revokes a token whose secret was lost.
func (m *minter) End(_ context.Context, id string, by paistrike.Warrant) error {
	err := m.client.End(m.cleanup, id, by) //nolint:contextcheck // the budget that List began
	m.failed = m.failed || err != nil
	return err
}

// end frees what the calls took.
func (m *minter) end() {
	if m.cancel != nil {
		m.cancel()
	}
}

// settled keeps which tokens may exist after a create has failed. If there are none, the post
// step need not look.
func (s *session) settled(err error, lost []string) error {
	switch {
	case err == nil:
		return nil
	case len(lost) == 0:
		return s.gh.SaveState(stateRevoked, "true")
	}
	return s.saveNames(lost)
}

// graceful returns a context that outlives ctx by grace, and lasts limit at most.
func graceful(ctx context.Context, limit, grace time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(inner, func() { timer.Stop() })
	})
	return inner, func() { stop(); cancel() }
}

// cleanup is the time that there is after a failure. A run that goes on has the time
// of the step; one that was cancelled has a few seconds.
func (s *session) cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}

// revokeNamed revokes the tokens of the given names, and returns those that are revoked now,
// by it or by someone else.
func revokeNamed(ctx context.Context, client *paistrike.Client, names []string) ([]paistrike.Token, error) {
	all, err := client.List(ctx)
	if err != nil {
		return nil, err
	}
	var revoked []paistrike.Token
	for _, t := range all {
		if !slices.Contains(names, t.Name) {
			continue
		}
		if t.Status != paistrike.StatusRevoked {
			if err := client.End(ctx, t.ID, paistrike.Sent(names...)); err != nil {
				return revoked, err
			}
		}
		revoked = append(revoked, t)
	}
	return revoked, nil
}

// accept masks a new token, keeps what the post step needs, proves that it works, and
// hands it over, in this order.
func (s *session) accept(ctx context.Context, client *paistrike.Client, t token) error {
	if err := s.gh.Mask(t.secret); err != nil {
		return err
	}
	if err := s.saveToken(t); err != nil {
		return err
	}
	if !secret.IsVisible(t.secret.Reveal()) {
		return notATokenOfOurs()
	}
	if err := s.ended(ctx); err != nil {
		return err
	}
	if s.set.verify {
		if _, err := client.As(t.secret).Self(ctx); err != nil {
			return s.verifyFailed(ctx, t, err)
		}
	}
	if s.handTo != nil {
		return s.handTo(t)
	}
	return s.hand(t)
}

// saveAsked keeps what the post step must know before a token is asked for.
func (s *session) saveAsked(names []string, expires time.Time) error {
	return errors.Join(
		s.saveNames(names),
		s.gh.SaveState(stateExpires, report.Stamp(expires)),
		s.gh.SaveState(stateAsked, s.now().UTC().Format(time.RFC3339)),
	)
}

func (s *session) saveNames(names []string) error {
	kept, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return s.gh.SaveState(stateNames, string(kept))
}

func (s *session) saveToken(t token) error {
	kept := []struct{ name, value string }{
		{stateID, t.ID}, {stateName, inert.Short(t.Name)}, {stateExpires, report.Stamp(t.ExpiresAt)},
	}
	if secret.IsVisible(t.secret.Reveal()) {
		kept = append(kept, struct{ name, value string }{stateToken, t.secret.Reveal()})
	}
	for _, state := range kept {
		if err := s.gh.SaveState(state.name, state.value); err != nil {
			return err
		}
	}
	return nil
}

// takeBack revokes a token that nobody will use. If that fails, the post step will
// try again.
func (s *session) takeBack(ctx context.Context, client *paistrike.Client, t token, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	err := client.End(ctx, t.ID, paistrike.Sent(t.Name))
	if err != nil {
		err = client.As(t.secret).RevokeSelf(ctx)
	}
	if err != nil {
		s.gh.Say("Token " + t.ID + " could not be revoked yet; it is tried again at the end of the job.")
		return why
	}
	s.gh.Say("Token " + t.ID + " was revoked.")
	return errors.Join(why, s.gh.SaveState(stateRevoked, "true"))
}
