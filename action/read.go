package main

import (
	"context"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// read hands out the token that is kept in Vault. It belongs to whoever provisioned
// it, so nothing is kept for the post step and nothing is revoked.
func (p *program) read(ctx context.Context) error {
	field, err := p.fromVault(ctx)
	if err != nil {
		return err
	}
	t := token{secret: field.Secret, source: "read", version: field.Version}
	if r := field.Record; r != nil {
		t.Token = paistrike.Token{ID: r.TokenID, Name: r.TokenName, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}
	}
	client, err := p.client(t.secret)
	if err != nil {
		return err
	}
	if p.set.verify {
		seen, err := client.Self(ctx)
		if err != nil {
			return p.readRefused(ctx, t, err)
		}
		if seen.ID != "" { // PAIStrike knows better than what was written down
			t.Token = seen
		}
	}
	if left, ends := remaining(t.ExpiresAt, p.serverNow(client)); ends && left < max(p.set.minRemaining, 1) {
		return endsTooSoon(p.set.at, t, left, p.set.minRemaining)
	}
	return p.hand(t)
}
