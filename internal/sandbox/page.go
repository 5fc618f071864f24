package sandbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// pagePrefix is the path prefix of everything the page serves except "/" itself.
const pagePrefix = "/_page/"

// pageFiles contains the templates and the assets that a browser loads with them.
//
//go:embed page
var pageFiles embed.FS

// page is the "API Tokens" page over the API's store. Its only state is the set of forms in
// use: a secret appears only in the response to the request that created it.
type page struct {
	clock  *Clock
	store  *store
	policy func() Policy
	forms  *forms
	watch  *watch
}

// pageTemplate is parsed on first use.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "page/*.html"))
})

func newPage(c *Clock, s *store, policy func() Policy, realNow func() time.Time) *page {
	return &page{clock: c, store: s, policy: policy, forms: newForms(), watch: &watch{now: realNow}}
}

// isPage reports whether a path belongs to the page and not to the API.
func isPage(path string) bool { return path == "/" || strings.HasPrefix(path, pagePrefix) }

// shown runs the page on a buffer.
func shown(h http.Handler, r *http.Request, requestID string) *answer {
	a := newAnswer()
	a.header.Set("X-Request-Id", requestID)
	h.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return a
}

func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /_page/live", p.live)
	mux.HandleFunc("POST /_page/generate", p.generate)
	mux.HandleFunc("POST /_page/revoke", p.revoke)
	mux.HandleFunc("POST /_page/clock", p.moveClock)
	// Reloading the address of a form submission returns to the list.
	mux.HandleFunc("GET /_page/generate", goHome)
	mux.HandleFunc("GET /_page/revoke", goHome)
	file := func(name, contentType string) {
		mux.HandleFunc("GET "+pagePrefix+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	file("style.css", "text/css; charset=utf-8")
	file("page.js", "text/javascript; charset=utf-8")
	file("icon.svg", "image/svg+xml")
	return guarded(sameSite(mux))
}

// guarded restricts the page in the browser: it loads only the sandbox's own files, is not
// cached, and cannot be framed.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func goHome(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }

// home shows the page. A query parameter opens a dialog, so that the page works without
// JavaScript.
func (p *page) home(w http.ResponseWriter, r *http.Request) {
	now, policy, query := p.clock.Now(), p.policy(), r.URL.Query()
	v := pageView{Query: readQuery(query)}
	if query.Get("dialog") == dialogGenerate {
		v.Dialog = dialogGenerate
	}
	if token, found := p.store.get(query.Get("revoke"), now, policy); found && token.RevokedAt.IsZero() {
		v.Dialog, v.Revoke = dialogRevoke, p.row(token, index{}, now)
	}
	if token, found := p.store.get(query.Get("revoked"), now, policy); found && !token.RevokedAt.IsZero() {
		v.Notice, v.NoticeName = "was revoked. Calls with it are answered 401 from now on.", token.Name
		v.Query.At = token.ID
	}
	p.show(w, r, http.StatusOK, v)
}

// live renders the part that updates itself, or answers 304 if it has not changed.
func (p *page) live(w http.ResponseWriter, r *http.Request) {
	body, err := p.render("live", p.liveView(readQuery(r.URL.Query()), p.watch.look(r.Context())))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, http.StatusOK, body)
}

// generate creates a token and shows its secret in this response only. A redirect would
// require keeping the secret until the next request.
func (p *page) generate(w http.ResponseWriter, r *http.Request) {
	v := pageView{Query: postedQuery(r), Dialog: dialogGenerate, Form: formView{Name: r.PostFormValue("name"), Expires: r.PostFormValue("expires")}}
	if !p.forms.take(r.PostFormValue("form")) {
		v.Form.Error = "This form was used already, or is from before a restart. No token was made. Send it again if you want one."
		p.show(w, r, http.StatusConflict, v)
		return
	}
	now := p.clock.Now()
	asked, faults := readForm(v.Form)
	if len(faults) > 0 {
		v.Form.refuse(faults)
		p.show(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	token, secret, err := p.store.create(asked, nil, now, p.policy())
	var invalid *invalidError
	switch {
	case errors.As(err, &invalid):
		v.Form.refuse(invalid.fields)
		p.show(w, r, http.StatusUnprocessableEntity, v)
	case errors.Is(err, errNameTaken):
		v.Form.NameError = "An active token has this name."
		p.show(w, r, http.StatusConflict, v)
	case err != nil:
		v.Form.Error = err.Error()
		p.show(w, r, http.StatusInternalServerError, v)
	default:
		v.Query.At = token.ID
		made := &madeView{Name: token.Name, Secret: secret, Done: v.Query.address(), Expires: momentOf(token.ExpiresAt, now)}
		p.show(w, r, http.StatusOK, pageView{Query: v.Query, Made: made})
	}
}

// postedQuery returns the list query of the page that a form was submitted from.
func postedQuery(r *http.Request) listQuery {
	values, err := url.ParseQuery(r.PostFormValue("view"))
	if err != nil {
		values = nil
	}
	return readQuery(values)
}

// readForm reads the token that the form requests. Its date means 00:00 UTC of that day.
func readForm(f formView) (draft, []fieldError) {
	d := draft{Name: f.Name}
	var faults []fieldError
	if !utf8.ValidString(f.Name) {
		faults = append(faults, fieldError{"/name", fieldControl, "a name is UTF-8 text"})
	}
	if f.Expires != "" {
		day, err := time.Parse(time.DateOnly, f.Expires)
		if err != nil || !writable(day) {
			faults = append(faults, fieldError{"/expires_at", fieldBadTime, "this is not a date"})
		}
		d.ExpiresAt = day
	}
	return d, faults
}

func (p *page) revoke(w http.ResponseWriter, r *http.Request) {
	if !p.forms.take(r.PostFormValue("form")) {
		p.show(w, r, http.StatusConflict, pageView{Query: postedQuery(r), Problem: "This form was used already, or is from before a restart. Nothing was done."})
		return
	}
	id := r.PostFormValue("id")
	if !p.store.revoke(id, p.clock.Now(), p.policy()) {
		p.show(w, r, http.StatusNotFound, pageView{Query: postedQuery(r), Problem: "The token no longer exists. Nothing was done."})
		return
	}
	back := postedQuery(r).values()
	back.Set("revoked", id)
	http.Redirect(w, r, "/?"+back.Encode(), http.StatusSeeOther) //nolint:gosec // always a query of this page
}

// moveClock applies one of the steps in clockSteps. Its forms can be submitted repeatedly:
// pressing "+1 d" three times advances three days.
func (p *page) moveClock(w http.ResponseWriter, r *http.Request) {
	step := r.PostFormValue("advance")
	known := slices.ContainsFunc(clockSteps(), func(s clockStep) bool { return s.Value == step })
	by, err := parseDuration(step)
	if !known || err != nil || !writable(p.clock.Now().Add(by)) {
		p.show(w, r, http.StatusUnprocessableEntity, pageView{Query: postedQuery(r), Problem: "The clock cannot be moved there."})
		return
	}
	p.clock.Advance(by)
	http.Redirect(w, r, postedQuery(r).address(), http.StatusSeeOther) //nolint:gosec // always a query of this page
}

// show answers with the whole page. Each of its forms can be submitted once.
func (p *page) show(w http.ResponseWriter, r *http.Request, status int, v pageView) {
	v.Nonce, v.Live = p.forms.issue(), p.liveView(v.Query, p.watch.look(r.Context()))
	v.Tomorrow = p.clock.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	body, err := p.render("page", v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, status, body)
}

func (p *page) render(name string, v any) ([]byte, error) {
	var body bytes.Buffer
	err := pageTemplate().ExecuteTemplate(&body, name, v)
	return body.Bytes(), err
}

func send(w http.ResponseWriter, status int, html []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(html) //nolint:gosec // html/template has escaped what came from outside
}
