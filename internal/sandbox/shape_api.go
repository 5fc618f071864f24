package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shaped serves the store with the API of a shape.
type shaped struct {
	*Shape
	store  *store
	now    func() time.Time
	policy func() Policy
}

func (s *shaped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := caller{now: s.now(), policy: s.policy()}
	if s.DropsRevoked {
		c.policy.Retain = -1
	}
	secret := r.Header.Get(s.Header)
	if s.Scheme != "" {
		secret = strings.TrimPrefix(secret, s.Scheme+" ")
		if secret == r.Header.Get(s.Header) {
			secret = ""
		}
	}
	var refused string
	c.token, refused = s.store.authenticate(secret, c.now, c.policy)
	workOf(r).caller = c.token.ID
	if refused != "" {
		s.write(w, s.Dead, fillShape(s.DeadAnswer, nil))
		return
	}
	for name, value := range s.Query {
		if r.URL.Query().Get(name) != value {
			badRequest("bad_query", name+" must be "+value).write(w)
			return
		}
	}
	s.serve(w, r, c)
}

func (s *shaped) serve(w http.ResponseWriter, r *http.Request, c caller) {
	is := func(method, template string) bool {
		_, found := match(template, r, s.Prefix)
		return template != "" && r.Method == method && found
	}
	switch {
	case is("POST", s.Create.Path):
		s.create(w, r, c)
	case is("GET", s.List.Path):
		s.list(w, r, c)
	case is("GET", s.Self):
		s.write(w, http.StatusOK, s.self(c.token, c.now))
	case is("DELETE", s.Self) && s.SelfRevokes:
		s.revoke(w, r, c, c.token.ID)
	case is(s.RevokeMethod, s.RevokePath):
		id, _ := match(s.RevokePath, r, s.Prefix)
		s.revoke(w, r, c, s.idOf(id, c))
	case is("GET", s.Item):
		id, _ := match(s.Item, r, s.Prefix)
		token, found := s.store.get(s.idOf(id, c), c.now, c.policy)
		switch {
		case !found && s.Missing == s.Dead:
			s.write(w, s.Dead, fillShape(s.DeadAnswer, nil))
			return
		case !found:
			notFound("there is no such token").write(w)
			return
		}
		workOf(r).subject = token.ID
		s.write(w, http.StatusOK, s.one(token, c.now))
	default:
		notFound("there is nothing here").write(w)
	}
}

// ID returns the identifier of a sandbox token in this shape.
func (s *Shape) ID(token Token) any {
	sum := sha256.Sum256([]byte(token.ID))
	switch s.IDs {
	case "name":
		return token.Name
	case "number":
		return binary.BigEndian.Uint32(sum[:])
	case "uuid":
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	return token.ID
}

// idOf returns the sandbox's ID of the token with the given identifier, or "".
func (s *shaped) idOf(id string, c caller) string {
	for _, token := range s.store.all(c.now, c.policy) {
		if fmt.Sprint(s.ID(token)) == id {
			return token.ID
		}
	}
	return ""
}

func (s *shaped) write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	writeJSON(w, status, body)
	if s.Create.Media == "json_api" {
		w.Header().Set("Content-Type", "application/vnd.api+json")
	}
}

func (s *shaped) revoke(w http.ResponseWriter, r *http.Request, c caller, id string) {
	if !s.store.revoke(id, c.now, c.policy) {
		if s.RevokeMissing != 0 {
			w.WriteHeader(s.RevokeMissing)
			return
		}
		notFound("there is no such token").write(w)
		return
	}
	workOf(r).subject = id
	if len(s.Revoked) == 0 {
		w.WriteHeader(cmp.Or(s.RevokeStatus, http.StatusNoContent))
		return
	}
	s.write(w, cmp.Or(s.RevokeStatus, http.StatusOK), fillShape(s.Revoked, map[string]any{"{id}": s.ID(Token{ID: id})}))
}

func (s *shaped) values(token Token, secret string, now time.Time) map[string]any {
	values := map[string]any{
		"{id}": s.ID(token), "{name}": token.Name, "{secret}": secret, "{status}": token.Status,
		"{revoked}": token.Status == statusRevoked, "{active}": token.Status == statusActive,
		"{expired}": !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt),
		"{created}": s.time(token.CreatedAt), "{last_used}": s.time(token.LastUsedAt), "{expires}": s.time(token.ExpiresAt),
		"{active_at}": s.time(later(token.CreatedAt, token.LastUsedAt)), "{expires_date}": nil, "{ttl}": nil,
	}
	if !token.ExpiresAt.IsZero() {
		values["{expires_date}"] = token.ExpiresAt.Format(time.DateOnly)
		values["{ttl}"] = int(token.ExpiresAt.Sub(now).Seconds())
	}
	return values
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *shaped) time(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case s.Times == "offset":
		return t.Format("2006-01-02T15:04:05-0700")
	case s.Times == "unix":
		return t.Unix()
	case s.Times == "unix_ms":
		return t.UnixMilli()
	}
	return t
}

func (s *shaped) row(token Token, now time.Time) any {
	return fillShape(s.Row, s.values(token, "", now))
}

func (s *shaped) one(token Token, now time.Time) any {
	if len(s.One) == 0 {
		return s.row(token, now)
	}
	return fillShape(s.One, map[string]any{"{row}": s.row(token, now)})
}

func (s *shaped) self(token Token, now time.Time) any {
	if len(s.SelfAnswer) == 0 {
		return s.one(token, now)
	}
	return fillShape(s.SelfAnswer, s.values(token, "", now))
}

func (s *shaped) create(w http.ResponseWriter, r *http.Request, c caller) {
	fields, refused := s.fields(r)
	if refused != nil {
		refused.write(w)
		return
	}
	for path, want := range s.Create.Fixed {
		if got := fmt.Sprint(dotted(fields, path)); got != want {
			unprocessable(invalidDraft, fieldError{path, fieldRequired, "must be " + want}).write(w)
			return
		}
	}
	name, _ := dotted(fields, s.Create.Name).(string)
	asked := draft{Name: name}
	if value := dotted(fields, s.Create.Expires); value != nil {
		var ok bool
		if asked.ExpiresAt, ok = shapeTime(fmt.Sprint(value), s.Create.Format, c.now); !ok {
			unprocessable(invalidDraft, fieldError{s.Create.Expires, fieldBadTime, "write the expiry as " + s.Create.Format}).write(w)
			return
		}
	}
	token, secret, err := s.store.create(asked, &c.token, c.now, c.policy)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	workOf(r).subject = token.ID
	values := s.values(token, secret, c.now)
	values["{row}"] = s.row(token, c.now)
	s.write(w, s.Create.Status, fillShape(s.Create.Answer, values))
}

// fields decodes the body of a create in the shape's media type.
func (s *shaped) fields(r *http.Request) (map[string]any, *problem) {
	media := map[string]string{"json": "application/json", "json_api": "application/vnd.api+json", "form": "application/x-www-form-urlencoded"}[s.Create.Media]
	given, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || given != media {
		return nil, &problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "send " + media}
	}
	body, err := io.ReadAll(r.Body)
	bad := badRequest("bad_body", "the body cannot be read")
	if err != nil {
		return nil, &bad
	}
	fields := map[string]any{}
	if s.Create.Media != "form" {
		if json.Unmarshal(body, &fields) != nil {
			return nil, &bad
		}
		return fields, nil
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &bad
	}
	for name := range values {
		fields[name] = values.Get(name)
	}
	return fields, nil
}

// dotted follows a dotted path. A number in it is an index of a list. It returns nil if there
// is no such value.
func dotted(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		if list, ok := value.([]any); ok {
			if i, err := strconv.Atoi(step); err == nil && i < len(list) {
				value = list[i]
				continue
			}
		}
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = fields[step]
	}
	return value
}

func shapeTime(text, format string, now time.Time) (time.Time, bool) {
	number, err := strconv.ParseFloat(text, 64)
	switch format {
	case "date":
		t, err := time.Parse(time.DateOnly, text)
		return t, err == nil
	case "unix":
		return time.Unix(int64(number), 0).UTC(), err == nil
	case "unix_ms":
		return time.UnixMilli(int64(number)).UTC(), err == nil
	case "ttl_seconds":
		return now.Add(time.Duration(number) * time.Second), err == nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// list answers with one page, in the shape's format.
func (s *shaped) list(w http.ResponseWriter, r *http.Request, c caller) {
	tokens := s.store.all(c.now, c.policy)
	if s.List.OldestFirst {
		slices.Reverse(tokens)
	}
	query := r.URL.Query()
	size := s.List.Default
	if asked := query.Get(s.List.Size); s.List.Size != "" && asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < s.List.Min {
			badRequest("bad_size", fmt.Sprintf("%s is %d to %d", s.List.Size, s.List.Min, s.List.Max)).write(w)
			return
		}
		size = min(n, s.List.Max)
	}
	at, err := strconv.Atoi(query.Get(s.List.Page))
	number, from := s.List.First, 0
	switch {
	case s.List.Paging == "none":
		size = len(tokens)
	case err != nil: // the first page
	case s.List.Paging == "page":
		number, from = at, (at-s.List.First)*size
	default:
		from = at
	}
	from = min(max(from, 0), len(tokens))
	end := min(from+size, len(tokens))
	rows := make([]any, 0, end-from)
	for _, token := range tokens[from:end] {
		rows = append(rows, s.row(token, c.now))
	}
	var next, nextURL, nextLink any
	if end < len(tokens) {
		query.Set(s.List.Page, strconv.Itoa(end))
		next, nextURL = strconv.Itoa(end), r.URL.Path+"?"+query.Encode()
		nextLink = map[string]any{"href": nextURL, "type": "application/json"}
	}
	if s.List.Total != "" {
		w.Header().Set(s.List.Total, strconv.Itoa(len(tokens)))
	}
	s.write(w, http.StatusOK, fillShape(s.List.Answer, map[string]any{
		"{rows}": rows, "{total}": len(tokens), "{count}": len(rows), "{page}": number, "{size}": size,
		"{next}": next, "{next_url}": nextURL, "{next_link}": nextLink,
		"{pages}": (len(tokens) + max(size, 1) - 1) / max(size, 1),
	}))
}
