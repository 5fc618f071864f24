package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// leftover is what the main step kept for the post step.
type leftover struct {
	names             []string
	id, name, expires string
	secret            secret.Secret
}

// post revokes what the main step has made. It runs whatever became of the job, and
// by default it never makes a good job red.
func (w world) post(gh *github) error {
	if gh.state(stateNames) == "" || gh.state(stateRevoked) == "true" {
		return nil // nothing was asked for, or it is revoked already
	}
	left, set, err := w.takeUp(gh)
	if err != nil {
		failed := revokeFailed(left.id, left.name, left.expires, err)
		if set.revokeOrFail {
			return failed
		}
		gh.warn(codeRevoke, failed.Error())
		return nil
	}
	if !set.revoke {
		gh.say("Token " + left.id + " is left as it is, as revoke: false asks for.")
		return nil
	}
	// A cancel does not shorten this step: it is short, and what it does is what a
	// cancelled run needs.
	ctx, end := w.step(postTime, nil)
	defer end()
	p := &program{gh: gh, getenv: w.getenv, now: w.now, set: set, event: readEvent(w.getenv, os.ReadFile), step: ctx}
	return p.settle(ctx, left)
}

// takeUp reads what the main step kept, and masks what is secret in it.
func (w world) takeUp(gh *github) (left leftover, set settings, err error) {
	left = leftover{
		id: gh.state(stateID), name: gh.state(stateName), expires: gh.state(stateExpires), secret: secret.New(gh.state(stateToken)),
	}
	if err := gh.mask(left.secret); err != nil {
		return left, set, err
	}
	kept := values{}
	if json.Unmarshal([]byte(gh.state(stateNames)), &left.names) != nil || len(left.names) == 0 || json.Unmarshal([]byte(gh.state(stateInputs)), &kept) != nil {
		return left, set, errors.New("the state of the main step cannot be read")
	}
	if left.name == "" {
		left.name = left.names[len(left.names)-1]
	}
	set, err = parse(readInputs(allInputs(), w.getenv).restore(kept), os.ReadFile)
	if missing, ok := errors.AsType[*missingCredentialError](err); ok && !left.secret.IsZero() {
		gh.debug("%v", missing) // the token revokes itself without them
		err = nil
	}
	if err != nil {
		return left, set, err
	}
	return left, set, gh.maskAll(set.secrets)
}

// settle revokes and says how that went.
func (p *program) settle(ctx context.Context, left leftover) error {
	err := p.revoke(ctx, left)
	if err != nil && len(left.names) == 1 && p.expired(left.expires) {
		p.gh.debug("%v", err)
		p.gh.say("Token " + left.id + " has expired, so nothing is left to revoke.")
		return nil
	}
	if err == nil {
		return p.note(revokedNote(left, p.now()))
	}
	failed := revokeFailed(left.id, left.name, left.expires, err)
	if note := p.note(notRevokedNote(failed)); note != nil {
		p.gh.debug("%v", note)
	}
	if p.set.revokeOrFail {
		return failed
	}
	p.gh.warn(codeRevoke, failed.Error())
	return nil
}

func (p *program) note(markdown string) error {
	if !p.set.summary {
		return nil
	}
	if err := p.gh.summarize(markdown); err != nil {
		p.gh.debug("%v", err)
	}
	return nil
}

// revoke ends the token: by its own word where we hold it, which needs no other
// credential, else with the management token after a new login.
func (p *program) revoke(ctx context.Context, left leftover) error {
	var self error
	if !left.secret.IsZero() {
		if self = p.revokeSelf(ctx, left); self == nil && len(left.names) == 1 {
			return nil
		}
		if self != nil {
			p.gh.debug("the token could not revoke itself: %v", self)
		}
	}
	// Either it could not, or an answer was lost before it was made: what was made
	// then is known by its name alone, and may have appeared after the main step
	// looked.
	err := p.revokeAsBroker(ctx, left)
	if err != nil && self != nil {
		return errors.Join(self, err)
	}
	return err
}

func (p *program) revokeSelf(ctx context.Context, left leftover) error {
	ctx, cancel := context.WithTimeout(ctx, postTime/2)
	defer cancel()
	client, err := p.client(left.secret)
	if err != nil {
		return err
	}
	if err := client.RevokeSelf(ctx); err != nil {
		return err
	}
	p.gh.say("Token " + left.id + " (" + left.name + ") is revoked.")
	return nil
}

func (p *program) revokeAsBroker(ctx context.Context, left leftover) error {
	broker, err := p.fromVault(ctx)
	if err != nil {
		return err
	}
	client, err := p.client(broker.Secret)
	if err != nil {
		return err
	}
	if left.id != "" {
		if err := client.Revoke(ctx, left.id); err != nil {
			return err
		}
		p.gh.say("Token " + left.id + " (" + left.name + ") is revoked.")
	}
	found, err := revokeNamed(ctx, client, left.names, left.id)
	for _, t := range found {
		p.gh.say("Token " + t.ID + " (" + t.Name + ") is revoked; it was found by its name.")
	}
	if err == nil && left.id == "" && len(found) == 0 {
		p.gh.say("PAIStrike knows no live token named " + left.name + ".")
	}
	return err
}

// expired reports whether a token's end has passed on this machine's clock.
func (p *program) expired(expires string) bool {
	end, err := time.Parse(time.RFC3339, expires)
	return err == nil && !p.now().Before(end)
}
