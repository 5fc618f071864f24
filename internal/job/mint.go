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

// Names of the state that the main step saves for the post step.
const (
	stateInputs  = "inputs"     // inputs that are not secret, as JSON
	stateNames   = "names"      // names of all tokens that were requested and may exist, as JSON
	stateAsked   = "asked_at"   // time of the last request for a token, by this machine's clock
	stateID      = "token_id"   // ID of the new token
	stateName    = "token_name" // name of the new token
	stateToken   = "token"      // secret of the new token, with which it revokes itself
	stateExpires = "expires_at"
	stateRevoked = "revoked" // "true" if nothing is left to do
)

// mint creates a token for this job.
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

// expiry returns the expiry of a new token. It uses the clock of Vault, which has just
// responded, because this machine's clock may be hours off. If Vault's time is unknown, it
// asks PAIStrike.
func (s *session) expiry(ctx context.Context, client *paistrike.Client, server time.Time) time.Time {
	if server.IsZero() {
		if _, err := client.Self(ctx); err != nil {
			s.gh.Debug("PAIStrike does not identify the caller: %v", err) // the create reports the problem
		}
		server = s.serverNow(client)
	}
	return server.Add(s.set.expiresIn).Truncate(time.Second)
}

// create requests a token. It saves the name first, so that the post step can find a token
// even if the response is lost. If the outcome is unknown, it revokes what may have been
// created and requests one more token.
func (s *session) create(ctx context.Context, client *paistrike.Client, expires time.Time) (paistrike.Minted, error) {
	var names []string // names under which a token may exist
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

// minter implements the calls for one create. They may finish even if the run is cancelled.
type minter struct {
	s      *session
	client *paistrike.Client
	failed bool // the outcome of the create could not be determined

	cleanup context.Context //nolint:containedctx // one budget for all that follows a lost answer
	cancel  context.CancelFunc
}

// Create sends one create and waits for its outcome, so that a token that was created is
// known.
func (m *minter) Create(ctx context.Context, name string, expires time.Time) (paistrike.Minted, error) {
	ctx, cancel := graceful(ctx, m.s.set.timeout, createGrace)
	defer cancel()
	return m.client.Create(ctx, name, expires)
}

// List lists the account's tokens after a response was lost.
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

// end releases the resources of the calls.
func (m *minter) end() {
	if m.cancel != nil {
		m.cancel()
	}
}

// settled saves the names of tokens that may exist after a failed create. If there are none,
// the post step need not look for them.
func (s *session) settled(err error, lost []string) error {
	switch {
	case err == nil:
		return nil
	case len(lost) == 0:
		return s.gh.SaveState(stateRevoked, "true")
	}
	return s.saveNames(lost)
}

// graceful returns a context that ends after limit, or grace after ctx ends.
func graceful(ctx context.Context, limit, grace time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(inner, func() { timer.Stop() })
	})
	return inner, func() { stop(); cancel() }
}

// cleanup returns the context for work after a failure. If the run was cancelled, the context
// ends after a few seconds; otherwise it is the step's.
func (s *session) cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}

// revokeNamed revokes the tokens with the given names. It returns those that are now revoked,
// including those revoked by someone else.
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

// accept masks a new token, saves state for the post step, verifies the token, and hands it
// over, in this order.
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

// saveAsked saves the state that the post step needs before a token is requested.
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

// takeBack revokes a token that will not be used. If that fails, the post step tries again.
func (s *session) takeBack(ctx context.Context, client *paistrike.Client, t token, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	err := client.End(ctx, t.ID, paistrike.Sent(t.Name))
	if err != nil {
		err = client.As(t.secret).RevokeSelf(ctx)
	}
	if err != nil {
		s.gh.Say("Token " + t.ID + " could not be revoked yet. The post step tries again at the end of the job.")
		return why
	}
	s.gh.Say("Token " + t.ID + " was revoked.")
	return errors.Join(why, s.gh.SaveState(stateRevoked, "true"))
}
