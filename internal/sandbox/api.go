package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// api implements the wire contract over the store.
type api struct {
	prefix string
	store  *store
	now    func() time.Time
	policy func() Policy
}

// caller describes who makes a request, when, and under which policy. It is fixed for the
// whole request, so that all its parts see the same values.
type caller struct {
	token  Token
	now    time.Time
	policy Policy
}

type endpoint func(w http.ResponseWriter, r *http.Request, c caller)

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	route := func(method, path string, e endpoint) { mux.Handle(method+" "+a.prefix+path, a.authenticated(e)) }
	route("GET", "/api-tokens", a.list)
	route("POST", "/api-tokens", a.create)
	route("GET", "/api-tokens/self", a.getSelf)
	route("DELETE", "/api-tokens/self", a.revokeSelf)
	route("GET", "/api-tokens/{id}", a.get)
	route("DELETE", "/api-tokens/{id}", a.revoke)
	return mux
}

// authenticated calls e only for callers with a valid token, and records the use of the
// token.
func (a *api) authenticated(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, found := bearer(r)
		if !found {
			unauthorized("token_missing", "send Authorization: Bearer with an API token").write(w)
			return
		}
		c := caller{now: a.now(), policy: a.policy()}
		var refused string
		c.token, refused = a.store.authenticate(secret, c.now, c.policy)
		workOf(r).caller = c.token.ID
		if refused != "" {
			unauthorized(refused, refusal(refused)).write(w)
			return
		}
		b := a.store.admit(c.token.ID, c.now, c.policy)
		b.tell(w.Header(), c.now, c.policy.RateHeaders)
		if b.refused {
			problem{Status: http.StatusTooManyRequests, Code: "rate_limited", Detail: "too many requests in this minute; nothing was done"}.write(w)
			return
		}
		e(w, r, c)
	})
}

func bearer(r *http.Request) (string, bool) {
	scheme, secret, found := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	return secret, found && secret != "" && strings.EqualFold(scheme, "Bearer")
}

func refusal(code string) string {
	switch code {
	case refusedRevoked:
		return "this token was revoked"
	case refusedExpired:
		return "this token has expired"
	}
	return "this is not a token of this sandbox"
}

func (a *api) create(w http.ResponseWriter, r *http.Request, c caller) {
	if c.policy.NoMinting {
		problem{Status: http.StatusForbidden, Code: "minting_not_allowed", Detail: "API tokens are made in the web page only"}.write(w)
		return
	}
	fields, refused := readObject(r)
	if refused != nil {
		refused.write(w)
		return
	}
	asked, faults := readDraft(fields, c.policy)
	if len(faults) > 0 {
		unprocessable(invalidDraft, faults...).write(w)
		return
	}
	token, secret, err := a.store.create(asked, &c.token, c.now, c.policy)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	workOf(r).subject = token.ID
	w.Header().Set("Location", a.prefix+"/api-tokens/"+token.ID)
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, wireCreated{token.wire(), secret})
}

// problemOf translates an error of [store.create] into a problem document.
func problemOf(err error) problem {
	var invalid *invalidError
	switch {
	case errors.As(err, &invalid):
		return unprocessable(invalidDraft, invalid.fields...)
	case errors.Is(err, errNameTaken):
		return problem{Status: http.StatusConflict, Code: "name_conflict", Detail: "an active token has this name"}
	}
	return problem{Status: http.StatusInternalServerError, Code: "internal"}
}

// readObject reads a JSON object of at most [maxBody] bytes from the request body.
func readObject(r *http.Request) (map[string]json.RawMessage, *problem) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, &problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "send application/json"}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		bad := badRequest("bad_json", "the body could not be read")
		return nil, &bad
	}
	if len(body) > maxBody {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "a body has at most 64 KiB"}
	}
	var fields map[string]json.RawMessage
	// encoding/json would replace invalid UTF-8 with U+FFFD and so change the name that was
	// sent.
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil || !utf8.Valid(body) {
		bad := badRequest("bad_json", "the body is not one JSON object in UTF-8")
		return nil, &bad
	}
	return fields, nil
}

func (a *api) list(w http.ResponseWriter, r *http.Request, c caller) {
	query := r.URL.Query()
	limit := defaultLimit
	if query.Has("limit") {
		var err error
		if limit, err = strconv.Atoi(query.Get("limit")); err != nil || limit < 1 || limit > maxLimit {
			badRequest("bad_limit", fmt.Sprintf("limit is a number from 1 to %d", maxLimit)).write(w)
			return
		}
	}
	var before uint64
	if query.Has("cursor") {
		var ok bool
		if before, ok = readCursor(query.Get("cursor")); !ok {
			badRequest("bad_cursor", "this cursor was not made by this server").write(w)
			return
		}
	}
	tokens, next := a.store.page(before, c.policy.pageSize(limit), c.now, c.policy)
	page := wirePage{Items: make([]wireToken, len(tokens))}
	for i, t := range tokens {
		page.Items[i] = t.wire()
	}
	if next != 0 {
		cursor := writeCursor(next)
		page.NextCursor = &cursor
		follow := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(limit)}}
		w.Header().Set("Link", fmt.Sprintf(`<%s/api-tokens?%s>; rel="next"`, a.prefix, follow.Encode()))
	}
	writeJSON(w, http.StatusOK, page)
}

const cursorMark = "before:"

func writeCursor(seq uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorMark + strconv.FormatUint(seq, 36)))
}

func readCursor(cursor string) (uint64, bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	digits, found := strings.CutPrefix(string(text), cursorMark)
	seq, err := strconv.ParseUint(digits, 36, 64)
	return seq, found && err == nil && seq > 0 && writeCursor(seq) == cursor
}

func (a *api) get(w http.ResponseWriter, r *http.Request, c caller) {
	if c.policy.ListOnly {
		w.Header().Set("Allow", http.MethodDelete)
		problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "tokens can be listed, not read one by one"}.write(w)
		return
	}
	token, found := a.store.get(r.PathValue("id"), c.now, c.policy)
	if !found {
		missing(c.policy).write(w)
		return
	}
	workOf(r).subject = token.ID
	writeJSON(w, http.StatusOK, token.wire())
}

func (a *api) revoke(w http.ResponseWriter, r *http.Request, c caller) {
	id := r.PathValue("id")
	if !a.store.revoke(id, c.now, c.policy) {
		missing(c.policy).write(w)
		return
	}
	workOf(r).subject = id
	w.WriteHeader(http.StatusNoContent)
}

// missing returns the answer for a token that does not exist, as the policy prescribes.
func missing(p Policy) problem {
	if p.MissingIs401 {
		return unauthorized(refusedInvalid, "")
	}
	return notFound("there is no such token")
}

func (a *api) getSelf(w http.ResponseWriter, r *http.Request, c caller) {
	if c.policy.NoSelf {
		r.SetPathValue("id", "self")
		a.get(w, r, c)
		return
	}
	workOf(r).subject = c.token.ID
	writeJSON(w, http.StatusOK, c.token.wire())
}

func (a *api) revokeSelf(w http.ResponseWriter, r *http.Request, c caller) {
	id := c.token.ID
	if c.policy.NoSelf {
		id = "self"
	}
	r.SetPathValue("id", id)
	a.revoke(w, r, c)
}
