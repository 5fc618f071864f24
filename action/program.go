package main

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// program is one run of a step.
type program struct {
	gh     *github
	getenv func(string) string
	now    func() time.Time
	set    settings
	event  event
	step   context.Context //nolint:containedctx // the waits of calls that outlive a cancel end with it
	claims claims
	handTo func(token) error // nil hands over to the steps that follow
}

// token is what a job gets.
type token struct {
	paistrike.Token
	secret  secret.Secret
	source  string // "minted" or "read"
	version int    // of the entry in Vault that the credential came from
}

// client makes a client of PAIStrike that calls as the given token.
func (p *program) client(bearer secret.Secret) (*paistrike.Client, error) {
	config := p.set.api
	config.Token, config.MaxAttempts = bearer, p.set.maxAttempts
	config.Sleep, config.Now = p.sleep, p.now
	client, err := paistrike.New(config)
	if err != nil {
		return nil, badInputs([]string{err.Error()})
	}
	return client, nil
}

// serverNow is PAIStrike's clock, which decides expiry, or this machine's where
// PAIStrike has not been asked yet.
func (p *program) serverNow(client *paistrike.Client) time.Time {
	if now, ok := client.ServerTime(); ok {
		return now
	}
	return p.now().UTC()
}

// hand gives the token to the steps that follow. It is masked already.
func (p *program) hand(t token) error {
	for _, output := range []struct{ name, value string }{
		{"token", t.secret.Reveal()},
		{"token_id", t.ID},
		{"token_name", t.Name},
		{"expires_at", stamp(t.ExpiresAt)},
		{"source", t.source},
		{"vault_version", number(t.version)},
		{"skipped", "false"},
	} {
		if err := p.gh.output(output.name, output.value); err != nil {
			return err
		}
	}
	if p.set.exportEnv {
		if err := p.gh.export(p.set.envName, t.secret.Reveal()); err != nil {
			return err
		}
	}
	p.gh.say(p.headline(t))
	if !p.set.summary {
		return nil
	}
	if err := p.gh.summarize(p.summary(t)); err != nil {
		p.gh.warn("", err.Error()) // the token is handed over; a page without a table is no harm
	}
	return nil
}
