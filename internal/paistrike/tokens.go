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

// Reasons why a successful response to a create cannot be used, in addition to the
// decoder's.
var (
	errOwnToken  = errors.New("the response contains the token that sent the request instead of a new one")
	errBadID     = errors.New("the response contains an id that does not lead to a token")
	errCut       = errors.New("the response was cut off")
	errOtherName = errors.New("the token has a different name than the one that was sent, so it may be someone else's and was not changed")
	errNameless  = errors.New("the response does not contain the name that was sent; set its field in api_routes")
	errTwoNames  = errors.New("the response and the list contain different names of the token")
	errOtherID   = errors.New("the response is a different token than the requested one")
)

// Get reads one token. If it does not exist, [IsNotFound] reports true for the error. If
// the server cannot read a token by ID, Get looks it up in the list.
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
		// Some servers respond with 401 for a token that does not exist, to hide which
		// tokens exist. If the management token works elsewhere, the token does not exist.
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

// missing returns the error for a token that does not exist.
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

// itemPath inserts the ID. It rejects an ID that would lead to any path but that of one
// token, such as "self", whose revocation would end the client's own access.
func (c *Client) itemPath(template, id string) (string, error) {
	item := strings.TrimRight(fill(c.routes.Item, "{id}", id), "/")
	if id == "" || id == "." || id == ".." ||
		item == strings.TrimRight(c.routes.Self, "/") || item == strings.TrimRight(c.routes.Collection, "/") {
		return "", fmt.Errorf("%q is not a token id", id)
	}
	return fill(template, "{id}", id), nil
}

// usableID reports whether an ID from the server leads to its token and nowhere else,
// whatever proxies are in between. Proxies decode escaped characters, so in a path an ID
// must be one segment.
func (c *Client) usableID(id string) bool {
	_, err := c.itemPath(c.routes.Item, id)
	inPath := !c.routes.ListOnly
	if path, _, _ := strings.Cut(c.routes.RevokePath, "?"); strings.Contains(path, "{id}") {
		inPath = true
	}
	return err == nil && !strings.EqualFold(id, "self") && !strings.ContainsFunc(id, unicode.IsControl) && (!inPath || !strings.ContainsAny(id, `/\`))
}

// Create creates a token that expires at expiresAt, or never if that is zero. The expiry
// in the result is the server's and may differ from the requested one.
//
// The request is sent once. If it is not certain that nothing was done, or the response
// cannot be used, the error is an [*UnknownOutcomeError] and a token with that name may
// exist. [MintOnce] handles that case.
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

// readMinted decodes the response to a create. With an error, the ID may still be known.
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

// confirm verifies by its name that a created token is the requested one: otherwise
// someone else's token could later be revoked by its ID. If the response does not contain
// the name, confirm reads the token. A service that never reports the name cannot be used,
// and the new token revokes itself, which cannot affect any other token.
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

// find reads a token by its ID, or from the list if that does not find it.
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

// formatExpiry formats an expiry as the server requires. A coarse format rounds up, so
// that the token lives at least as long as requested.
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
		if seconds < 1 { // some servers read 0 as never
			return nil, fmt.Errorf("the expiry %s is not after now, %s", at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
		return int64(seconds), nil
	default:
		return up(at, time.Second).Format(time.RFC3339), nil
	}
}

// Self returns the token that makes the call, which also shows whether it works. If the
// server has no route for that, Self requests one row of the list and returns the zero
// Token.
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

// probe requests the shortest list to find out whether the token works.
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

// shortestList returns the address that reads as little of the list as the server allows.
func (c *Client) shortestList() string {
	if c.routes.List != ContractV1().List { // a server may have a minimum page size
		return c.listAddress(position{})
	}
	return c.address(c.routes.Collection, url.Values{c.routes.List.Size: {"1"}})
}

func (c *Client) reader() reader { return reader{c.routes.Answer, c.routes.List} }

// DropsRevoked reports whether absence from a complete list means revoked, according to
// the routes.
func (c *Client) DropsRevoked() bool { return c.routes.List.DropsRevoked }
