package paistrike

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Reasons why a token does not count as revoked.
var (
	errStillListed = errors.New("it still exists after the revocation, and the server does not report its status")
	errStillActive = errors.New("the server accepted the revocation but did not carry it out")
	errUnproven    = errors.New("it was not found, but neither was any previously known token, so this may not be the account's list")
	errUnknownSelf = errors.New("its id is not known; set api_routes.self")
)

// Revoke revokes a token immediately. It returns nil only if the token was then seen as
// revoked: by its ID, or, if the server does not find it or cannot read one by ID, in a
// complete list that contains another known token, and this one as revoked or not at all.
// A token that was already seen as revoked takes one call.
//
// If the server does not know the token and it was never seen, [IsNotFound] reports true
// for the error. Every other error is a [*NotRevokedError].
func (c *Client) Revoke(ctx context.Context, id string) error {
	op := "revoking token " + id
	path, err := c.revokePath(ctx, id)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if !c.routes.hasSelf() && !c.memory.knowsOther(id) {
		// Without this list, nothing could later show whether a list is the account's. If
		// it fails, the revocation is more urgent.
		_, _ = c.List(ctx)
	}
	known, revoked := c.memory.knows(id)
	got, err := c.act(ctx, call{op: op, method: c.routes.RevokeMethod, address: c.address(path, nil), item: true})
	switch {
	case revoked:
		return nil
	case err == nil && c.showsRevoked(got, id):
		c.memory.ended(id)
		return nil
	case !settled(err):
		return &NotRevokedError{ID: id, Err: err}
	}
	return c.seeRevoked(ctx, id, known || err == nil, err)
}

// revokePath returns the path for revoking a token. If the service takes a name, no other
// token of the account that may still work may have the same name.
func (c *Client) revokePath(ctx context.Context, id string) (string, error) {
	path, err := c.itemPath(c.routes.RevokePath, id)
	if err != nil || !strings.Contains(c.routes.RevokePath, nameHole) {
		return path, err
	}
	tokens, err := c.List(ctx)
	if err != nil {
		return "", err
	}
	i := indexOf(tokens, id)
	if i < 0 {
		return "", c.missing(id)
	}
	name := tokens[i].Name
	for _, token := range tokens {
		if token.ID != id && token.Name == name && token.Status != StatusRevoked {
			return "", fmt.Errorf("token %s has the same name, %q, and PAIStrike revokes by name: rename or revoke one of them manually", token.ID, name)
		}
	}
	if name == "" || name == "." || name == ".." {
		return "", fmt.Errorf("%q is not a name by which a token can be revoked", name)
	}
	return fill(c.routes.RevokePath, nameHole, name), nil
}

// act makes a call that accepts an empty response, but not an HTML page.
func (c *Client) act(ctx context.Context, call call) (answer, error) {
	got, err := c.do(ctx, call)
	if err == nil && !got.fromAPI() {
		err = &AnswerError{call.op, got.status, errNotAPI.Error()}
	}
	return got, err
}

// showsRevoked reports whether a response is the token itself, revoked.
func (c *Client) showsRevoked(got answer, id string) bool {
	token, err := c.reader().decodeToken(got.body)
	return err == nil && strings.EqualFold(token.ID, id) && token.Status == StatusRevoked
}

// settled reports whether the server has finished a call, whatever the result, so that the
// current state can be read.
func settled(err error) bool {
	if _, odd := errors.AsType[*AnswerError](err); odd || err == nil {
		return true
	}
	switch status := StatusOf(err); status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status >= 400 && status < 500
	}
}

// seeRevoked finds out the result of a revocation. existed is true if there was such a
// token. cause is the server's error for the revocation.
func (c *Client) seeRevoked(ctx context.Context, id string, existed bool, cause error) error {
	unknown := func(err error) error { return &NotRevokedError{ID: id, Err: then(cause, err)} }
	if !c.routes.ListOnly {
		token, err := c.Get(ctx, id)
		switch {
		case err == nil:
			return c.judge(token, cause)
		case !IsNotFound(err) && !unserved(err):
			return unknown(err)
		}
	}
	tokens, err := c.list(ctx)
	if err != nil {
		return unknown(err)
	}
	if i := indexOf(tokens, id); i >= 0 {
		return c.judge(tokens[i], cause)
	}
	if !c.memory.meets(tokens, id) {
		own, err := c.Own(ctx)
		if err != nil {
			return unknown(err)
		}
		if !slices.ContainsFunc(tokens, func(t Token) bool { return own.May(t.ID) }) {
			return unknown(errUnproven)
		}
	}
	c.memory.note(tokens...)
	if !existed && !c.routes.List.DropsRevoked {
		return c.missing(id)
	}
	c.memory.ended(id)
	return nil
}

// unserved reports whether the server has no such route.
func unserved(err error) bool {
	status := StatusOf(err)
	return isGone(status) || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}

func indexOf(tokens []Token, id string) int {
	return slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id })
}

// judge returns the result of a revocation if the token is still listed.
func (c *Client) judge(token Token, cause error) error {
	c.memory.note(token)
	switch {
	case token.Status == StatusRevoked:
		return nil
	case token.Untold.Has(State):
		return &NotRevokedError{ID: token.ID, Err: cmp.Or(cause, errStillListed)}
	}
	return &NotRevokedError{ID: token.ID, Seen: StatusActive, Err: cmp.Or(cause, errStillActive)}
}

// RevokeSelf revokes the token that makes the call. It returns nil only if the token was
// then refused, or had been refused before. Otherwise it returns a [*NotRevokedError].
func (c *Client) RevokeSelf(ctx context.Context) error {
	const op = "revoking the API token in use"
	id, err := c.endSelf(ctx, op)
	switch {
	case isRefusal(err):
		return nil
	case !settled(err):
		return &NotRevokedError{ID: id, Err: err}
	}
	_, asked := c.Self(ctx)
	if unserved(asked) { // is it the route or the token that does not exist?
		asked = c.probe(ctx, op)
	}
	switch {
	case isRefusal(asked):
		if id != "" {
			c.memory.ended(id)
		}
		return nil
	case asked != nil:
		return &NotRevokedError{ID: id, Err: then(err, asked)}
	}
	return &NotRevokedError{ID: id, Seen: StatusActive, Err: cmp.Or(err, errStillActive)}
}

// endSelf revokes the token in use, by the route for that, or else by its ID. It returns
// the ID if that is known.
func (c *Client) endSelf(ctx context.Context, op string) (id string, err error) {
	if c.routes.hasSelf() && c.routes.RevokeMethod == http.MethodDelete {
		_, err = c.act(ctx, call{op: op, method: http.MethodDelete, address: c.address(c.routes.Self, nil)})
		if status := StatusOf(err); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			return "", err
		}
	}
	self, err := c.Self(ctx)
	if err != nil {
		return "", err
	}
	if self.ID == "" {
		return "", fmt.Errorf("%s: %w", op, errUnknownSelf)
	}
	path, err := c.revokePath(ctx, self.ID)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	_, err = c.act(ctx, call{op: op, method: c.routes.RevokeMethod, address: c.address(path, nil), item: true})
	return self.ID, err
}

// isRefusal reports whether the API itself refused the token.
func isRefusal(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	return ok && IsUnauthorized(err) && !api.foreign
}
