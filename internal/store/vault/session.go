package vault

import (
	"context"
	"net/http"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// session is the Vault token of a client. Each login has a number, so that of
// many callers whose token was refused only the first logs in anew.
type session struct {
	login  Login
	mu     sync.Mutex
	number int
	tokens flights[int, secret.Secret]
}

// token returns the Vault token and the number of its login, logging in if that has not
// happened yet.
func (c *Client) token(ctx context.Context) (secret.Secret, int, error) {
	c.session.mu.Lock()
	number := c.session.number
	c.session.mu.Unlock()
	token, err := c.session.tokens.get(ctx, number, c.signIn)
	return token, number, err
}

// renew returns the Vault token of a login later than the one given.
func (c *Client) renew(ctx context.Context, refused int) (secret.Secret, error) {
	c.session.mu.Lock()
	if c.session.number == refused {
		c.session.number++
		// The refused token is kept for one more login: a caller that has read its number
		// and not yet asked for it would otherwise log in under that number again.
		c.session.tokens.drop(refused - 1)
	}
	c.session.mu.Unlock()
	token, _, err := c.token(ctx)
	return token, err
}

// RevokeToken ends the Vault token that this client logged in for. Without a
// login there is nothing to do, and a token that the user gave stays the user's.
// The next call would log in anew.
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
