package paistrike

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// pageSize is the largest page that the contract allows.
	pageSize = 100
	// maxPages ends a list that does not end.
	maxPages = 1000
)

var (
	errEndless  = errors.New("the list does not end after 1000 pages")
	errRepeated = errors.New("the list leads back to a page that was read before")
	errOtherURL = errors.New("the next page lies on another host, to which the token is not sent")
	errOwnToken = errors.New("the answer repeats the token that asked instead of a new one")
)

// ContractV1 returns the routes of openapi.yaml.
func ContractV1() Routes {
	return Routes{
		Collection:    "/api-tokens",
		Item:          "/api-tokens/{id}",
		Self:          "/api-tokens/self",
		RevokeMethod:  http.MethodDelete,
		RevokePath:    "/api-tokens/{id}",
		NameField:     "name",
		ExpiresField:  "expires_at",
		ExpiresFormat: ExpiresRFC3339,
	}
}

// List returns all tokens of the account, every page, each id once.
func (c *Client) List(ctx context.Context) ([]Token, error) {
	ask := call{op: "listing tokens", method: http.MethodGet, address: c.listAddress(pageSize, "")}
	var tokens []Token
	listed, read := map[string]bool{}, map[string]bool{ask.address: true}
	for range maxPages {
		got, err := c.do(ctx, ask)
		if err != nil {
			return nil, err
		}
		unusable := func(reason error) error { return &AnswerError{ask.op, got.status, reason.Error()} }
		page, err := readPage(got)
		if err != nil {
			return nil, unusable(err)
		}
		for _, token := range page.tokens {
			if !listed[token.ID] {
				listed[token.ID] = true
				tokens = append(tokens, token)
			}
		}
		next, err := c.nextAddress(ask.address, page)
		switch {
		case err != nil:
			return nil, unusable(err)
		case next == "":
			return tokens, nil
		case read[next]:
			return nil, unusable(errRepeated)
		}
		ask.address, read[next] = next, true
	}
	return nil, &AnswerError{ask.op, http.StatusOK, errEndless.Error()}
}

func (c *Client) listAddress(limit int, cursor string) string {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return c.address(c.routes.Collection, query)
}

// nextAddress returns where the list goes on, "" at its end.
func (c *Client) nextAddress(here string, page page) (string, error) {
	if page.cursor != "" {
		return c.listAddress(pageSize, page.cursor), nil
	}
	if page.link == "" {
		return "", nil
	}
	base, err := url.Parse(here)
	if err != nil {
		return "", err
	}
	next, err := base.Parse(page.link)
	if err != nil || next.User != nil || !sameOrigin(base, next) {
		return "", errOtherURL
	}
	return next.String(), nil
}

func readPage(got answer) (page, error) {
	if got.cut != nil {
		return page{}, got.cut
	}
	return decodePage(got.body, got.header)
}

// Get reads one token. [IsNotFound] tells that there is none. Where the server
// cannot read one by id, the token is looked up in the list.
func (c *Client) Get(ctx context.Context, id string) (Token, error) {
	op := "reading token " + id
	path, err := c.itemPath(c.routes.Item, id)
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", op, err)
	}
	ask := call{op: op, method: http.MethodGet, address: c.address(path, nil), item: true}
	missing := &APIError{
		Op: op, Method: ask.method, Path: pathOf(ask.address),
		Status: http.StatusNotFound, Code: "not_found", Message: "there is no such token",
	}
	if c.routes.ListOnly {
		tokens, err := c.List(ctx)
		if err != nil {
			return Token{}, err
		}
		if i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id }); i >= 0 {
			return tokens[i], nil
		}
		return Token{}, missing
	}
	got, err := c.do(ctx, ask)
	if IsUnauthorized(err) {
		// Some servers say 401 of a token that is not there, so as not to tell
		// who has which. The bearer is good if it works elsewhere.
		if _, self := c.Self(ctx); self == nil {
			return Token{}, missing
		}
	}
	if err != nil {
		return Token{}, err
	}
	return tokenOf(op, got)
}

func tokenOf(op string, got answer) (Token, error) {
	token, err := decodeToken(got.body)
	if got.cut != nil {
		err = got.cut
	}
	if err != nil {
		return Token{}, &AnswerError{op, got.status, err.Error()}
	}
	return token, nil
}

// itemPath fills in the id. What would lead to another path than that of one
// token is no id: "self" above all, whose revocation ends our own access.
func (c *Client) itemPath(template, id string) (string, error) {
	fill := func(template string) string { return strings.Replace(template, "{id}", url.PathEscape(id), 1) }
	item := strings.TrimRight(fill(c.routes.Item), "/")
	if id == "" || id == "." || id == ".." ||
		item == strings.TrimRight(c.routes.Self, "/") || item == strings.TrimRight(c.routes.Collection, "/") {
		return "", fmt.Errorf("%q is no token id", id)
	}
	return fill(template), nil
}

// Create makes a token that ends at expiresAt, or never if that is zero. The
// expiry of the result is the server's word and may differ from the one asked.
//
// It goes out once: where it is not certain that nothing was done, the error is
// an [*UnknownOutcomeError], and a token of that name may exist.
func (c *Client) Create(ctx context.Context, name string, expiresAt time.Time) (Minted, error) {
	const op = "creating a token"
	body, err := c.createBody(name, expiresAt)
	if err != nil {
		return Minted{}, fmt.Errorf("%s: %w", op, err)
	}
	got, err := c.do(ctx, call{
		op: op, method: http.MethodPost, address: c.address(c.routes.Collection, nil), body: body, once: true, mints: name,
	})
	if err != nil {
		return Minted{}, err
	}
	minted, expirySaid, err := decodeMinted(got.body)
	if err == nil && minted.Secret == c.token {
		err = errOwnToken
	}
	if err != nil && got.cut != nil {
		err = errors.New("the answer was cut off")
	}
	if err != nil {
		return Minted{}, &UnknownOutcomeError{Name: name, ID: minted.ID, Err: &AnswerError{op, got.status, err.Error()}}
	}
	if minted.Name == "" {
		minted.Name = name
		minted.Warnings = slices.DeleteFunc(minted.Warnings, func(field string) bool { return field == "name" })
	}
	if !expirySaid && !expiresAt.IsZero() { // the best that is known
		minted.ExpiresAt = expiresAt
		if !slices.Contains(minted.Warnings, "expires_at") {
			minted.Warnings = append(minted.Warnings, "expires_at")
		}
	}
	return minted, nil
}

func (c *Client) createBody(name string, expiresAt time.Time) ([]byte, error) {
	fields := map[string]any{c.routes.NameField: name}
	if !expiresAt.IsZero() {
		now, ok := c.ServerTime()
		if !ok {
			now = c.now()
		}
		expires, err := formatExpiry(c.routes.ExpiresFormat, expiresAt, now)
		if err != nil {
			return nil, err
		}
		fields[c.routes.ExpiresField] = expires
	}
	return json.Marshal(fields)
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

// Revoke ends a token at once. One that is gone or revoked already is no error.
func (c *Client) Revoke(ctx context.Context, id string) error {
	op := "revoking token " + id
	path, err := c.itemPath(c.routes.RevokePath, id)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	_, err = c.do(ctx, call{op: op, method: c.routes.RevokeMethod, address: c.address(path, nil), item: true})
	switch StatusOf(err) {
	case http.StatusNotFound, http.StatusGone:
		return nil
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusConflict, http.StatusUnprocessableEntity:
		// How a server says "revoked already" is its own affair: ask what is true.
		token, reading := c.Get(ctx, id)
		if IsNotFound(reading) || reading == nil && token.Status == StatusRevoked {
			return nil
		}
	}
	return err
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
	return tokenOf(op, got)
}

// probe finds out whether the token works by the shortest list.
func (c *Client) probe(ctx context.Context, op string) error {
	got, err := c.do(ctx, call{op: op, method: http.MethodGet, address: c.listAddress(1, "")})
	if err != nil {
		return err
	}
	if _, err := readPage(got); err != nil {
		return &AnswerError{op, got.status, err.Error()}
	}
	return nil
}

// RevokeSelf ends the token that makes the call. One that no longer works is no
// error.
func (c *Client) RevokeSelf(ctx context.Context) error {
	const op = "revoking the API token in use"
	var refused error
	if c.routes.hasSelf() && c.routes.RevokeMethod == http.MethodDelete {
		_, refused = c.do(ctx, call{op: op, method: http.MethodDelete, address: c.address(c.routes.Self, nil)})
		switch StatusOf(refused) {
		case http.StatusNotFound, http.StatusMethodNotAllowed: // of the token, or of the route?
		case http.StatusUnauthorized, http.StatusGone:
			return nil
		default:
			return refused
		}
	}
	self, err := c.Self(ctx)
	if isGone(StatusOf(refused)) && isGone(StatusOf(err)) {
		// The server does not know the route, or says 404 to a dead token. One that
		// still works elsewhere is not revoked.
		if err = c.probe(ctx, op); isGone(StatusOf(err)) {
			return nil
		}
	}
	switch {
	case IsUnauthorized(err):
		return nil
	case err != nil:
		return err
	case self.ID == "":
		return fmt.Errorf("%s: its id is not known; set api_routes.self", op)
	}
	if err = c.Revoke(ctx, self.ID); IsUnauthorized(err) {
		return nil
	}
	return err
}
