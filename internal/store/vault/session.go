package vault

import (
	"context"
	"net/http"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// session is the Vault token of a client. Each login has a number, so that if many
// callers' token is refused, only the first logs in again.
type session struct {
	login  Login
	mu     sync.Mutex
	number int
	tokens flights[int, secret.Secret]
}

// token returns the Vault token and the number of its login. It logs in if necessary.
func (c *Client) token(ctx context.Context) (secret.Secret, int, error) {
	c.session.mu.Lock()
	number := c.session.number
	c.session.mu.Unlock()
	token, err := c.session.tokens.get(ctx, number, c.signIn)
	return token, number, err
}

// renew returns the Vault token of a login after the refused one.
func (c *Client) renew(ctx context.Context, refused int) (secret.Secret, error) {
	c.session.mu.Lock()
	if c.session.number == refused {
		c.session.number++
		// Keep the refused token for one more login: a caller that has read its number and
		// not yet requested it would otherwise log in under that number again.
		c.session.tokens.drop(refused - 1)
	}
	c.session.mu.Unlock()
	token, _, err := c.token(ctx)
	return token, err
}

// RevokeToken revokes the Vault token that this client logged in for. Without a login it
// does nothing, and it does not revoke a token that the user provided. The next call would
// log in again.
func (c *Client) RevokeToken(ctx context.Context) error {
	if !c.session.login.ours() {
		return nil
	}
	c.session.mu.Lock()
	number := c.session.number
	token, ok := c.session.tokens.drop(number)
	c.session.number++
	c.session.mu.Unlock()
	if !ok {
		return nil
	}
	_, err := c.exchange(ctx, request{
		op: "revoking our Vault token at", method: http.MethodPost, path: "auth/token/revoke-self",
		namespace: c.loginNamespace(),
	}, token)
	return err
}
