package paistrike_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// account is a small PAIStrike that follows the contract, with its own clock.
type account struct {
	mu   sync.Mutex
	now  time.Time
	rows []*row // oldest first
}

type row struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	CreatedAt  string  `json:"created_at"`
	LastUsedAt *string `json:"last_used_at"`
	ExpiresAt  *string `json:"expires_at"`
	Status     string  `json:"status"`
	secret     string
}

func newAccount() *account {
	a := &account{now: instant("2026-07-01T12:00:00Z")}
	a.add("management", nil).secret = bearer
	return a
}

func (a *account) add(name string, expires *string) *row {
	n := len(a.rows) + 1
	r := &row{
		ID: fmt.Sprintf("tok_%03d", n), Name: name, CreatedAt: a.now.Format(time.RFC3339), ExpiresAt: expires,
		Status: "active", secret: fmt.Sprintf("pstk_sbx_%036d", n),
	}
	a.rows = append(a.rows, r)
	return r
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Date", a.now.Format(http.TimeFormat))
	secret, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	caller := a.find(func(r *row) bool { return r.secret == secret && r.Status == "active" })
	if caller == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "token_invalid")
		return
	}
	used := a.now.Format(time.RFC3339)
	caller.LastUsedAt = &used
	path, below := strings.CutPrefix(r.URL.Path, "/api/v1/api-tokens")
	switch id := strings.TrimPrefix(path, "/"); {
	case !below:
		http.NotFound(w, r)
	case id == "" && r.Method == http.MethodPost:
		a.create(w, r)
	case id == "":
		a.list(w, r)
	case id == "self":
		one(w, r, caller)
	default:
		one(w, r, a.find(func(r *row) bool { return r.ID == id }))
	}
}

func (a *account) find(match func(*row) bool) *row {
	for _, r := range a.rows {
		if match(r) {
			return r
		}
	}
	return nil
}

func (a *account) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Name      string  `json:"name"`
		ExpiresAt *string `json:"expires_at"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "bad_json")
		return
	}
	made := a.add(asked.Name, asked.ExpiresAt)
	w.Header().Set("Location", r.URL.Path+"/"+made.ID)
	w.Header().Set("Cache-Control", "no-store")
	reply(w, http.StatusCreated, struct {
		*row
		Token string `json:"token"`
	}{made, made.secret})
}

func (a *account) list(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "50"))
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	items := []*row{}
	for i := from; i < len(a.rows) && len(items) < limit; i++ {
		items = append(items, a.rows[len(a.rows)-1-i])
	}
	var next *string
	if end := from + len(items); end < len(a.rows) {
		cursor := strconv.Itoa(end)
		next = &cursor
	}
	reply(w, http.StatusOK, map[string]any{"items": items, "next_cursor": next})
}

func one(w http.ResponseWriter, r *http.Request, found *row) {
	switch {
	case found == nil:
		refuse(w, http.StatusNotFound, "not_found")
	case r.Method == http.MethodDelete:
		found.Status = "revoked"
		w.WriteHeader(http.StatusNoContent)
	default:
		reply(w, http.StatusOK, found)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"code":%q}`, http.StatusText(status), status, code)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}
