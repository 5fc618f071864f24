package job

import (
	"context"
	"errors"
	"net/http"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// vaultStore is Vault.
type vaultStore struct {
	*vault.Store

	client *vault.Client
	s      *session
}

// openVault returns a store that logs in on its first call.
func (s *session) openVault() (store, error) {
	config := s.set.vault
	if config.Login.Method == vault.MethodJWT && config.Login.JWT.IsZero() && config.Login.File == "" {
		config.Login.JWTSource = s.identity.Token
	}
	client, err := vault.New(config)
	if err != nil {
		return nil, badInputs([]string{err.Error()})
	}
	return vaultStore{Store: vault.NewStore(client), client: client, s: s}, nil
}

// field reads until Vault returns a final answer. Each attempt without a Vault token logs in
// with a new identity token, because Vault may count the previous one as used.
func (v vaultStore) field(ctx context.Context) (entry.Field, error) {
	for attempt := 1; ; attempt++ {
		field, err := v.client.ReadField(ctx, v.s.set.at)
		if err == nil {
			return field, nil
		}
		asked, again := vault.RetryIn(err)
		if !again || attempt >= v.s.set.maxAttempts || ctx.Err() != nil {
			return field, v.failed(ctx, err)
		}
		v.s.gh.Debug("attempt %d of %d: %v", attempt, v.s.set.maxAttempts, err)
		if v.s.pause(ctx, attempt, asked) != nil {
			return field, v.failed(ctx, err)
		}
	}
}

func (v vaultStore) listFailed(ctx context.Context, folder entry.Location, err error) error {
	if vault.IsForbidden(err) {
		return listForbidden(folder, err)
	}
	return v.failed(ctx, err)
}

func (v vaultStore) nothingFound(folder entry.Location) error { return nothingFound(folder) }

func (v vaultStore) nothingThere(field entry.Field) error { return nothingThere(v.s.set.at, field) }

// leave revokes the Vault token of the run. A failure, as with a batch token, is not an
// error: the token expires soon.
func (v vaultStore) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime/2)
	defer cancel()
	if err := v.client.RevokeToken(ctx); err != nil {
		v.s.gh.Debug("the Vault token was not revoked; it works until it expires: %v", err)
	}
}

// failed converts an error of Vault into a message.
func (v vaultStore) failed(ctx context.Context, err error) error {
	s := v.s
	if ended := s.ended(ctx); ended != nil {
		return ended
	}
	if f, ok := errors.AsType[*runner.Failure](err); ok { // from GitHub's identity service
		return f
	}
	if refused, ok := errors.AsType[*vault.LoginError](err); ok {
		return s.loginFailed(refused)
	}
	switch status := vault.StatusOf(err); {
	case vault.IsSealed(err):
		return vaultUnavailable(s.set.vault.Address, true, err)
	case status == 0:
		return s.vaultSilent(err)
	case status == http.StatusForbidden:
		return readForbidden(s.set.at, err)
	case runner.MayPass(status):
		return vaultUnavailable(s.set.vault.Address, false, err)
	}
	return vaultAnswered(s.set.at, err)
}
