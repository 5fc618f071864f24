package paistrike

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// What makes a success answer to a create useless, besides what the decoder finds.
var (
	errOwnToken  = errors.New("the answer repeats the token that asked instead of a new one")
	errBadID     = errors.New("the answer names an id that leads to no token")
	errCut       = errors.New("the answer was cut off")
	errOtherName = errors.New("the token has a different name than the one that was sent, so it may be someone else's and is left as it is")
	errNameless  = errors.New("the name that was sent does not come back; say in api_routes how PAIStrike calls it")
	errTwoNames  = errors.New("the answer names the token otherwise than the list does")
	errOtherID   = errors.New("the answer is a different token than the one asked for")
)

// Get reads one token. [IsNotFound] tells that there is none. If the server cannot
// read one by id, the token is looked up in the list.
func (c *Client) Get(ctx context.Context, id string) (Token, error) {
	op := "reading token " + id
	path, err := c.itemPath(c.routes.Item, id)
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", op, err)
	}
	if c.routes.ListOnly {
		tokens, err := c.List(ctx)
		if err != nil {
			return Token{}, err
		}
		if i := indexOf(tokens, id); i >= 0 {
			return tokens[i], nil
		}
		return Token{}, c.missing(id)
	}
	got, err := c.do(ctx, call{op: op, method: http.MethodGet, address: c.address(path, nil), item: true})
	if IsUnauthorized(err) {
		// Some servers say 401 of a token that is not there, so as not to tell
		// who has which. The bearer is good if it works elsewhere.
		if _, self := c.Self(ctx); self == nil {
			return Token{}, c.missing(id)
		}
	}
	if err != nil {
		return Token{}, err
	}
	token, err := c.tokenOf(op, got)
	switch {
	case err != nil:
		return Token{}, err
	case !strings.EqualFold(token.ID, id):
		return Token{}, &AnswerError{op, got.status, errOtherID.Error()}
	}
	c.memory.note(token)
	return token, nil
}

// missing says that there is no such token.
func (c *Client) missing(id string) error {
	return &APIError{
		Op: "reading token " + id, Method: http.MethodGet, Path: pathOf(c.base + fill(c.routes.Item, "{id}", id)),
		Status: http.StatusNotFound, Code: "not_found", Message: "there is no such token",
	}
}

func (c *Client) tokenOf(op string, got answer) (Token, error) {
	token, err := c.reader().decodeToken(got.body)
	if got.cut != nil {
		err = got.cut
	}
	if err != nil {
		return Token{}, &AnswerError{op, got.status, err.Error()}
	}
	return token, nil
}

// itemPath fills in the id. What would lead to a different path than that of one
// token is not an id: "self" above all, whose revocation ends our own access.
func (c *Client) itemPath(template, id string) (string, error) {
	item := strings.TrimRight(fill(c.routes.Item, "{id}", id), "/")
	if id == "" || id == "." || id == ".." ||
		item == strings.TrimRight(c.routes.Self, "/") || item == strings.TrimRight(c.routes.Collection, "/") {
		return "", fmt.Errorf("%q is not a token id", id)
	}
	return fill(template, "{id}", id), nil
}

// usableID reports whether an id that the server made leads to its token and
// nowhere else, whatever stands in between: proxies decode what is escaped, so in a
// path an id is one segment.
func (c *Client) usableID(id string) bool {
	_, err := c.itemPath(c.routes.Item, id)
	inPath := !c.routes.ListOnly
	if path, _, _ := strings.Cut(c.routes.RevokePath, "?"); strings.Contains(path, "{id}") {
		inPath = true
	}
	return err == nil && !strings.EqualFold(id, "self") && !strings.ContainsFunc(id, unicode.IsControl) && (!inPath || !strings.ContainsAny(id, `/\`))
}

// Create makes a token that ends at expiresAt, or never if that is zero. The
// expiry of the result is the server's word and may differ from the one asked.
//
// It goes out once. If it is not certain that nothing was done, or the answer
// cannot be used, the error is an [*UnknownOutcomeError], and a token of that name
// may exist. [MintOnce] deals with it.
func (c *Client) Create(ctx context.Context, name string, expiresAt time.Time) (Minted, error) {
	const op = "creating a token"
	body, err := c.createBody(name, expiresAt)
	if err != nil {
		return Minted{}, fmt.Errorf("%s: %w", op, err)
	}
	got, err := c.do(ctx, call{
		op: op, method: http.MethodPost, address: c.address(c.routes.CreatePath, nil), body: body, once: true, mints: name,
	})
	if err != nil {
		return Minted{}, err
	}
	minted, err := c.readMinted(got)
	lost := &UnknownOutcomeError{Name: name, ID: minted.ID}
	if err != nil {
		lost.Err = &AnswerError{op, got.status, err.Error()}
		return Minted{}, lost
	}
	if lost.Revoked, err = c.confirm(ctx, &minted, name, got.status); err != nil {
		lost.Err = err
		return Minted{}, lost
	}
	c.memory.note(minted.Token)
	if minted.Untold.Has(Expiry) && !expiresAt.IsZero() && c.routes.ExpiresFormat != ExpiresNone { // the best that is known
		minted.ExpiresAt = expiresAt
		if !slices.Contains(minted.Warnings, "expires_at") {
			minted.Warnings = append(minted.Warnings, "expires_at")
		}
	}
	return minted, nil
}

// readMinted reads the answer to a create. With an error the id may still be known.
func (c *Client) readMinted(got answer) (Minted, error) {
	minted, err := c.reader().decodeMinted(got.body)
	switch {
	case minted.ID != "" && !c.usableID(minted.ID):
		minted.ID, err = "", errBadID
	case err == nil && minted.Secret == c.token:
		err = errOwnToken
	case err != nil && got.cut != nil:
		err = errCut
	}
	return minted, err
}

// confirm makes sure that a created token is the one asked for, by its name: an id
// of someone else's token would be revoked one day. If the answer does not tell
// the name, the token is read; a service that never tells it cannot be used, and
// the token revokes itself, which can hit no other.
func (c *Client) confirm(ctx context.Context, minted *Minted, name string, status int) (revoked bool, err error) {
	unusable := func(err error) error { return &AnswerError{"creating a token", status, err.Error()} }
	if minted.Name == "" {
		if minted.Token, err = c.find(ctx, minted.ID); err != nil {
			return false, err
		}
	}
	switch minted.Name {
	case name:
		return false, nil
	case "":
		err := c.As(minted.Secret).RevokeSelf(ctx)
		return err == nil, then(unusable(errNameless), err)
	}
	if token, err := c.find(ctx, minted.ID); err != nil || token.Name != name {
		return false, then(unusable(errOtherName), err)
	}
	err = c.End(ctx, minted.ID, Sent(name))
	return err == nil, then(unusable(errTwoNames), err)
}

// find reads a token by its id, or in the list if that does not find it.
func (c *Client) find(ctx context.Context, id string) (Token, error) {
	token, err := c.Get(ctx, id)
	if c.routes.ListOnly || !unserved(err) {
		return token, err
	}
	tokens, err := c.List(ctx)
	if err != nil {
		return Token{}, err
	}
	if i := indexOf(tokens, id); i >= 0 {
		return tokens[i], nil
	}
	return Token{}, c.missing(id)
}

func (c *Client) createBody(name string, expiresAt time.Time) ([]byte, error) {
	var expires any
	if !expiresAt.IsZero() && c.routes.ExpiresFormat != ExpiresNone {
		now, ok := c.ServerTime()
		if !ok {
			now = c.now()
		}
		var err error
		if expires, err = formatExpiry(c.routes.ExpiresFormat, expiresAt, now); err != nil {
			return nil, err
		}
	}
	body, err := parseTemplate(c.routes.CreateBody, c.routes.ContentType == ContentForm, c.routes.ExpiresFormat != ExpiresNone)
	if err != nil {
		return nil, err
	}
	return body.write(name, expires)
}

// formatExpiry writes an expiry as the server wants it. What the format cannot
// hold is rounded up, so that the token lives at least as long as asked.
func formatExpiry(format string, at, now time.Time) (any, error) {
	up := func(t time.Time, to time.Duration) time.Time {
		if whole := t.Truncate(to); whole.Before(t) {
			return whole.Add(to)
		}
		return t
	}
	at = at.UTC()
	switch format {
	case ExpiresDate:
		return up(at, 24*time.Hour).Format(time.DateOnly), nil
	case ExpiresUnix:
		return up(at, time.Second).Unix(), nil
	case ExpiresUnixMilli:
		return up(at, time.Millisecond).UnixMilli(), nil
	case ExpiresTTLSeconds:
		seconds := math.Ceil(at.Sub(now).Seconds())
		if seconds < 1 { // 0 means never to some servers
			return nil, fmt.Errorf("the expiry %s is not after now, %s", at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
		return int64(seconds), nil
	default:
		return up(at, time.Second).Format(time.RFC3339), nil
	}
}

// Self returns the token that makes the call, and so tells whether it works.
// Where the server has no route for that, one row of the list is asked for, and
// the Token is zero.
func (c *Client) Self(ctx context.Context) (Token, error) {
	const op = "checking the API token"
	if !c.routes.hasSelf() {
		return Token{}, c.probe(ctx, op)
	}
	got, err := c.do(ctx, call{op: op, method: http.MethodGet, address: c.address(c.routes.Self, nil)})
	if err != nil {
		return Token{}, err
	}
	token, err := c.tokenOf(op, got)
	if err == nil {
		c.memory.note(token)
	}
	return token, err
}

// probe finds out whether the token works by the shortest list.
func (c *Client) probe(ctx context.Context, op string) error {
	got, err := c.do(ctx, call{op: op, method: http.MethodGet, address: c.shortestList()})
	if err != nil {
		return err
	}
	if _, err := c.readPage(got); err != nil {
		return &AnswerError{op, got.status, err.Error()}
	}
	return nil
}

// shortestList is where as little of the list is read as the server allows.
func (c *Client) shortestList() string {
	if c.routes.List != ContractV1().List { // a server may have a smallest page
		return c.listAddress(position{})
	}
	return c.address(c.routes.Collection, url.Values{c.routes.List.Size: {"1"}})
}

func (c *Client) reader() reader { return reader{c.routes.Answer, c.routes.List} }

// DropsRevoked reports whether absence from a whole list means revoked, as the
// routes say.
func (c *Client) DropsRevoked() bool { return c.routes.List.DropsRevoked }
