package job

import (
	"context"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// fromVault logs in, reads the entry, masks what it holds, and gives the Vault token
// back at once: one read is all that it was for.
func (s *session) fromVault(ctx context.Context) (vault.Field, error) {
	if !s.set.management.IsZero() {
		return vault.Field{Secret: s.set.management}, nil
	}
	client, err := s.openVault()
	if err != nil {
		return vault.Field{}, err
	}
	defer s.leaveVault(ctx, client)
	return s.credential(ctx, client)
}

// openVault makes a client. It logs in with its first call.
func (s *session) openVault() (*vault.Client, error) {
	config := s.set.vault
	if config.Login.Method == vault.MethodJWT && config.Login.JWT.IsZero() && config.Login.File == "" {
		config.Login.JWTSource = s.identity.Token
	}
	client, err := vault.New(config)
	if err != nil {
		return nil, badInputs([]string{err.Error()})
	}
	return client, nil
}

// credential reads the entry that PAIStrike is called with, and masks what it holds.
func (s *session) credential(ctx context.Context, client *vault.Client) (vault.Field, error) {
	if !s.set.management.IsZero() {
		return vault.Field{Secret: s.set.management}, nil
	}
	field, err := s.readField(ctx, client)
	if err != nil {
		return field, s.vaultFailed(ctx, err)
	}
	if err := s.gh.Mask(field.Secret); err != nil {
		return field, err
	}
	field.Secret = withoutBreak(field.Secret)
	switch {
	case field.Secret.IsZero():
		return field, nothingThere(s.set.at, field)
	case !secret.IsVisible(field.Secret.Reveal()):
		return field, notOneLine(s.set.at, errNotVisible)
	}
	return field, nil
}

// readField reads until Vault answers for good. Each attempt that has no Vault token
// yet logs in with a new identity token: one that was sent may count as used.
func (s *session) readField(ctx context.Context, client *vault.Client) (vault.Field, error) {
	for attempt := 1; ; attempt++ {
		field, err := client.ReadField(ctx, s.set.at)
		asked, again := vault.RetryIn(err)
		if err == nil || !again || attempt >= s.set.maxAttempts || ctx.Err() != nil {
			return field, err
		}
		s.gh.Debug("attempt %d of %d: %v", attempt, s.set.maxAttempts, err)
		if s.pause(ctx, attempt, asked) != nil {
			return field, err
		}
	}
}

// leaveVault revokes our Vault token. That it cannot be, as with a batch token, is no
// reason to fail: it ends by itself soon.
func (s *session) leaveVault(ctx context.Context, client *vault.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime/2)
	defer cancel()
	if err := client.RevokeToken(ctx); err != nil {
		s.gh.Debug("the Vault token was not revoked and ends by itself: %v", err)
	}
}

// remaining is how long a token still lives at now; it never ends where expires is zero.
func remaining(expires, now time.Time) (left time.Duration, ends bool) {
	if expires.IsZero() {
		return 0, false
	}
	return expires.Sub(now), true
}

// withoutBreak cuts off the one line break that a terminal adds to a value that is typed, as
// with `vault kv put secret/ci/broker token=-`.
func withoutBreak(value secret.Secret) secret.Secret {
	text := strings.TrimSuffix(value.Reveal(), "\n")
	return secret.New(strings.TrimSuffix(text, "\r"))
}
