package pagetest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

const (
	startTimeout = 90 * time.Second
	tabTimeout   = 5 * time.Minute // no test waits for this
)

// noon is the initial time of the clock.
func noon() time.Time { return time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC) }

// tab is a browser tab with the page of its own sandbox.
type tab struct {
	*testing.T
	ctx     context.Context
	sandbox *sandbox.Server
	server  *httptest.Server
	secret  string // of the management token

	mu       sync.Mutex
	mishaps  []string // console errors, exceptions, foreign requests
	expected []string // parts of mishaps that the test causes
}

// open starts a sandbox and opens its page. It calls prepare before the page is loaded.
func open(t *testing.T, prepare func(*tab)) *tab {
	t.Helper()
	if browser == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no Chromium")
		}
		t.Skip("SKIPPED, NOT TESTED: there is no Chromium")
	}
	s, err := sandbox.New(sandbox.Options{Start: noon()})
	if err != nil {
		t.Fatal(err)
	}
	w := &tab{T: t, sandbox: s, server: httptest.NewServer(s)}
	t.Cleanup(w.server.Close)
	_, w.secret = s.Mint("Sandbox management", time.Time{})
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, tabTimeout)
	w.ctx = ctx
	t.Cleanup(func() { w.checkMishaps(); cancel(); closeTab() })
	if err := chromedp.Listen(ctx, w.watch); err != nil {
		t.Fatal(err)
	}
	call(w, cdplog.Enable, cdp.Empty{})
	call(w, network.Enable, network.EnableParams{})
	call(w, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	w.do(chromedp.EmulateViewport(1240, 860))
	if prepare != nil {
		prepare(w)
	}
	w.visit()
	return w
}

// call sends a command of the DevTools protocol.
func call[P, R any](w *tab, command cdp.Command[P, R], params P) R {
	w.Helper()
	result, err := chromedp.Call(w.ctx, command, params)
	if err != nil {
		w.Fatal(err)
	}
	return result
}

func (w *tab) visit() {
	w.Helper()
	w.do(chromedp.Navigate(w.server.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#live")))
}

func (w *tab) watch(event any) {
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			w.mishap(string(e.Entry.Level) + ": " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		w.mishap("exception: " + e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.mishap("console." + string(e.Type))
	case *network.EventRequestWillBeSent:
		// The browser draws its own controls from data URLs.
		if url := e.Request.URL; !strings.HasPrefix(url, w.server.URL+"/") && !strings.HasPrefix(url, "data:image/svg+xml") {
			w.mishap("request to " + url)
		}
	}
}

func (w *tab) mishap(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mishaps = append(w.mishaps, text)
}

// expect declares a console error that the test causes.
func (w *tab) expect(part string) { w.expected = append(w.expected, part) }

func (w *tab) checkMishaps() {
	w.mu.Lock()
	defer w.mu.Unlock()
next:
	for _, m := range w.mishaps {
		for _, part := range w.expected {
			if strings.Contains(m, part) {
				continue next
			}
		}
		w.Errorf("in the browser: %s", m)
	}
}

func (w *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	w.Helper()
	if err := chromedp.Do(w.ctx, steps...); err != nil {
		w.Fatal(err) // the browser's error follows
	}
}

// focused is an approximation of the focused element's accessible name.
const focused = `(() => { const e = document.activeElement; return e === document.body ? "" : (e.ariaLabel ?? (e.labels?.[0] ?? e).textContent).trim() })()`

// click clicks the first visible element that matches.
func (w *tab) click(selector string) {
	w.Helper()
	w.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

func (w *tab) press(keys ...string) {
	w.Helper()
	for _, key := range keys {
		w.do(chromedp.KeyEvent(key))
	}
}

// await waits until an expression is true in the page, across page loads.
func (w *tab) await(expression string) {
	w.Helper()
	for {
		met, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](expression))
		if met {
			return
		}
		select {
		case <-time.After(30 * time.Millisecond):
		case <-w.ctx.Done():
			w.Fatalf("in vain for %s: %v\n%s", expression, err, w.state())
		}
	}
}

// state describes the page for the message of a test that timed out.
func (w *tab) state() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 10*time.Second)
	defer cancel()
	state, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify({
		address: location.href, ready: document.readyState, hidden: document.hidden, focus: document.activeElement?.id, typed: document.querySelector("#q")?.value,
		summary: document.querySelector("#summary")?.textContent, offline: !document.querySelector("#offline")?.hidden, query: document.querySelector("#live")?.dataset.query })`))
	if err != nil {
		return err.Error()
	}
	return state
}

// before runs a script in each page visited, before the page's own scripts.
func (w *tab) before(script string) {
	w.Helper()
	call(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// ask evaluates an expression in the page.
func ask[T any](w *tab, expression string) T {
	w.Helper()
	out, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.Fatalf("%s: %v", expression, err)
	}
	return out
}

// focusIs waits until the focused element has the given name.
func (w *tab) focusIs(want string) {
	w.Helper()
	w.await(fmt.Sprintf("%s === %q", focused, want))
}

// rows returns the names of the listed tokens in order.
func (w *tab) rows() []string {
	w.Helper()
	return ask[[]string](w, `[...document.querySelectorAll("td.name")].map(e => e.textContent)`)
}

// row returns the selector of an element in a token's row.
func row(id, part string) string { return "#row-" + id + " " + part }

// generate fills in and submits the form. expires is a date or "".
func (w *tab) generate(name, expires string) {
	w.Helper()
	w.click("#new")
	w.await(`document.querySelector("#generate:modal") !== null`)
	w.focusIs("Name")
	w.do(chromedp.SendKeys(chromedp.CSS("#name"), name))
	if expires != "" {
		w.do(chromedp.SetValue(chromedp.CSS("#expires"), expires))
	}
	w.press(kb.Enter)
	w.do(chromedp.WaitVisible(chromedp.CSS("#secret")))
}

// use calls the API with a secret and returns the status.
func (w *tab) use(secret string) int {
	w.Helper()
	request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.server.URL+"/api/v1/api-tokens/self", nil)
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	client := http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (w *tab) allowClipboard() {
	w.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		params := cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted,
			Origin: w.server.URL, BrowserContextID: chromedp.FromContext(w.ctx).BrowserContextID,
		}
		if _, err := chromedp.CallBrowser(w.ctx, cdpbrowser.SetPermission, params); err != nil {
			w.Fatal(err)
		}
	}
}

// scheme switches between "light" and "dark".
func (w *tab) scheme(name string) {
	w.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}
