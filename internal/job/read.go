package job

import (
	"context"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// read hands over the token from the store. It belongs to its provisioner, so nothing is
// saved for the post step and nothing is revoked.
func (s *session) read(ctx context.Context) error {
	field, err := s.fromStore(ctx)
	if err != nil {
		return err
	}
	t := token{secret: field.Secret, source: "read"}
	if r := field.Record; r != nil {
		t.version = r.Gen
		t.Token = paistrike.Token{ID: r.TokenID, Name: r.TokenName, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}
	}
	client, err := s.client(t.secret)
	if err != nil {
		return err
	}
	if s.set.verify {
		seen, err := client.Self(ctx)
		if err != nil {
			return s.readRefused(ctx, t, err)
		}
		if seen.ID != "" { // PAIStrike is more current than the record
			t.Token = seen
		}
	}
	if field.Record == nil && !s.set.verify && s.set.minRemaining > 0 {
		return endUnknown(s.set.place(s.set.at))
	}
	if left, ends := remaining(t.ExpiresAt, s.serverNow(client)); ends && left < max(s.set.minRemaining, 1) {
		return endsTooSoon(s.set.place(s.set.at), t, left, s.set.minRemaining)
	}
	return s.hand(t)
}
