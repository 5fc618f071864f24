package pagetest_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestTokenIsGeneratedAndShownOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, expires, shown string }{
		{"never expires", "", "Never"},
		{"expires", "2026-05-30", "30 May 2026, 00:00 UTC"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, (*tab).allowClipboard)
			w.generate("CI/CD Pipeline", tc.expires)
			w.focusIs("Token")
			secret := ask[string](w, `document.getElementById("secret").value`)
			if !regexp.MustCompile(`^pstk_sbx_[0-9A-Za-z]{36}$`).MatchString(secret) {
				t.Fatal("the page shows no token")
			}
			if got := w.use(secret); got != http.StatusOK {
				t.Errorf("the token is answered %d", got)
			}
			made := w.sandbox.Tokens()[0]
			if got := ask[string](w, `document.querySelector("`+row(made.ID, `[data-label=Expires]`)+`").textContent`); !strings.HasPrefix(got, tc.shown) {
				t.Errorf("it expires %q, want %q", got, tc.shown)
			}
			if warning := ask[string](w, `document.getElementById("made-warning").textContent`); !strings.Contains(warning, "never again") {
				t.Errorf("the warning is %q", warning)
			}
			w.click("#copy")
			w.await(`document.getElementById("copied").textContent === "Copied."`)
			if ask[string](w, `navigator.clipboard.readText().then(text => text === document.getElementById("secret").value ? "same" : "other")`) == "other" {
				t.Error("the clipboard has something else")
			}
			w.picture("generated-" + strings.ReplaceAll(tc.name, " ", "-"))
			gone := func(after string) {
				t.Helper()
				w.do(chromedp.WaitVisible(chromedp.CSS("#live")))
				if ask[bool](w, `document.getElementById("secret") !== null || document.documentElement.outerHTML.includes("pstk_sbx_")`) {
					t.Errorf("the token is still there after %s", after)
				}
				if n := len(w.sandbox.Tokens()); n != 2 {
					t.Errorf("%d tokens after %s, want the one and the management token", n, after)
				}
			}
			w.do(chromedp.Reload())
			gone("a reload")
			w.do(chromedp.Navigate(w.server.URL+"/?dialog=generate"), chromedp.NavigateBack())
			gone("going back")
		})
	}
}

func TestRevokeAndCancel(t *testing.T) {
	t.Parallel()
	var id, secret string
	w := open(t, func(w *tab) { id, secret = w.sandbox.Mint("CI/CD Pipeline", noon().Add(time.Hour)) })
	menu := "Actions for CI/CD Pipeline"
	for _, cancel := range []struct {
		name string
		act  func()
	}{
		{"the button", func() { w.click("#revoke [value=cancel]") }},
		{"Escape", func() { w.press(kb.Escape) }},
	} {
		w.click(row(id, "summary"))
		w.click(row(id, "[name=revoke]"))
		w.await(`document.querySelector("#revoke:modal") !== null`)
		if ask[bool](w, `document.querySelector("details[open]") !== null`) {
			t.Error("the menu is open under the dialog")
		}
		if got := ask[string](w, `document.getElementById("revoke-name").textContent`); got != "CI/CD Pipeline" {
			t.Errorf("the dialog is about %q", got)
		}
		w.focusIs("Cancel")
		cancel.act()
		w.await(`document.querySelector("dialog[open]") === null`)
		w.focusIs(menu)
		if got := w.use(secret); got != http.StatusOK {
			t.Errorf("after %s the token is answered %d", cancel.name, got)
		}
	}
	w.click(row(id, "summary"))
	w.click(row(id, "[name=revoke]"))
	w.picture("revoke-dialog")
	w.click("#revoke [value=revoke]")
	w.await(`document.querySelector("` + row(id, ".badge") + `")?.textContent === "Revoked"`)
	if got := w.use(secret); got != http.StatusUnauthorized {
		t.Errorf("the revoked token is answered %d", got)
	}
	if ask[bool](w, `document.querySelector("`+row(id, "summary")+`") !== null`) {
		t.Error("a revoked token still has a menu")
	}
	if got := w.words(row(id, "[data-label=Expires]")); !slices.Equal(got, []string{"2 Mar 2026, 13:00 UTC revoked just now"}) {
		t.Errorf("its end is %q", got)
	}
	if got := ask[string](w, `document.querySelector(".message").textContent`); !strings.HasPrefix(got, "CI/CD Pipeline was revoked.") {
		t.Errorf("the page says %q", got)
	}
}

func TestEverythingByKeyboard(t *testing.T) {
	t.Parallel()
	var id string
	w := open(t, func(w *tab) { id, _ = w.sandbox.Mint("CI/CD Pipeline", time.Time{}) })
	for _, want := range []string{
		"Skip to the tokens", "SB: your account", "API Tokens", "Generate New Token", "+1 h: Move the clock on by one hour",
		"+1 d: Move the clock on by one day", "+30 d: Move the clock on by 30 days",
		"Search the tokens", "Name", "Created", "Last Used", "Expires", "Status", "Actions for CI/CD Pipeline",
	} {
		w.press(kb.Tab)
		w.focusIs(want)
	}
	w.press(kb.Enter, kb.Escape) // opens and closes the menu
	w.focusIs("Actions for CI/CD Pipeline")
	if ask[bool](w, `document.querySelector("details[open]") !== null`) {
		t.Error("Escape leaves the menu open")
	}
	w.press(kb.Enter, kb.Tab)
	w.focusIs("Revoke")
	w.press(kb.Enter)
	w.await(`document.querySelector("#revoke:modal") !== null`)
	w.focusIs("Cancel")
	w.press(kb.Tab)
	w.focusIs("Revoke")
	w.press(kb.Enter)
	w.await(`document.querySelector("` + row(id, ".badge") + `")?.textContent === "Revoked"`)
}

func TestNamesAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	names := []string{
		`<script>window.hacked = true</script>`, `"><img src=x onerror="window.hacked = true">`, `{{.}} &amp; 'quoted' \u003c`,
		"🔑🚀 deploy 👩‍💻", "مفتاح النشر الآلي", strings.Repeat("W", 100), strings.Repeat("🔑", 100), strings.Repeat("x", 62) + "-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa",
	}
	w := open(t, func(w *tab) {
		for _, name := range names {
			w.sandbox.Mint(name, noon().Add(24*time.Hour))
		}
	})
	shown := w.rows()
	for _, name := range names {
		if !slices.Contains(shown, name) {
			t.Errorf("%q is not shown: %q", name, shown)
		}
	}
	for _, width := range []int64{1240, 640, 360} {
		w.do(chromedp.EmulateViewport(width, 900))
		if over := ask[int](w, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("the page is %d px wider than a window of %d", over, width)
		}
	}
	w.picture("names-narrow")
	w.do(chromedp.EmulateViewport(1240, 1300))
	w.picture("names")
	w.generate(names[0], "")
	if got := ask[string](w, `document.querySelector("#made bdi").textContent`); got != names[0] {
		t.Errorf("the new token is called %q", got)
	}
	if ask[bool](w, `window.hacked === true`) {
		t.Error("a name ran as a script")
	}
}

// Updates of the list do not interrupt a user's interaction.
func TestChangesComeInBesideWhatAPersonDoes(t *testing.T) {
	t.Parallel()
	var id string
	w := open(t, func(w *tab) { id, _ = w.sandbox.Mint("held", time.Time{}) })
	w.click(row(id, "summary"))
	w.press(kb.Tab)
	w.focusIs("Revoke")
	w.sandbox.Mint("newer", time.Time{})
	w.await(`document.querySelectorAll("td.name").length === 3`)
	w.focusIs("Revoke")
	if !ask[bool](w, `document.querySelector("`+row(id, "details")+`").open`) {
		t.Error("the menu was closed")
	}

	w.click("#new")
	w.do(chromedp.SendKeys(chromedp.CSS("#name"), "half a na"))
	w.sandbox.Revoke(id)
	w.sandbox.Clock().Advance(30 * time.Minute)
	w.await(`document.querySelectorAll(".badge.Revoked").length === 1 && document.querySelector(".clock time").textContent.includes("12:30:00")`)
	w.focusIs("Name")
	w.do(chromedp.SendKeys(chromedp.CSS("#name"), "me"))
	if got := ask[string](w, `document.querySelector("#generate:modal #name").value`); got != "half a name" {
		t.Errorf("the form has %q", got)
	}
	w.press(kb.Escape)
	w.focusIs("Generate New Token")

	for range 2 {
		w.click("#clock-1h")
	}
	w.click("#clock-30d")
	w.await(`document.querySelector(".clock time").dateTime === "2026-04-01T14:30:00Z"`)
	w.focusIs("+30 d: Move the clock on by 30 days")
	if got := w.sandbox.Clock().Now(); !got.Equal(noon().Add(2*time.Hour + 30*time.Minute + 30*24*time.Hour)) {
		t.Errorf("the clock shows %s", got)
	}
}

func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	w := open(t, func(w *tab) {
		call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	})
	w.click("#new")
	w.do(chromedp.WaitVisible(chromedp.CSS("#generate[open]")), chromedp.SendKeys(chromedp.CSS("#name"), "by hand"))
	w.picture("without-javascript")
	w.click("#generate [value=generate]")
	w.do(chromedp.WaitVisible(chromedp.CSS("#secret")))
	secret, err := chromedp.Run(w.ctx, chromedp.Value(chromedp.CSS("#secret")))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.use(secret); got != http.StatusOK {
		t.Errorf("the token is answered %d", got)
	}
	w.expect("status of 409") // the browser logs this when it resubmits a form
	w.do(chromedp.Reload())
	w.do(chromedp.WaitNotPresent(chromedp.CSS("#secret")))
	if n := len(w.sandbox.Tokens()); n != 2 {
		t.Errorf("%d tokens after a reload, want the one and the management token", n)
	}

	id := w.sandbox.Tokens()[0].ID
	w.visit()
	w.click(row(id, "summary"))
	w.click(row(id, "[name=revoke]"))
	w.click("#revoke[open] [value=cancel]")
	w.do(chromedp.WaitNotVisible(chromedp.CSS("#revoke")))
	w.click(row(id, "summary"))
	w.click(row(id, "[name=revoke]"))
	w.click("#revoke[open] [value=revoke]")
	w.do(chromedp.WaitVisible(chromedp.CSS(row(id, ".Revoked"))))
	if got := w.use(secret); got != http.StatusUnauthorized {
		t.Errorf("the revoked token is answered %d", got)
	}
	w.click("#clock-1d")
	w.do(chromedp.WaitVisible(chromedp.CSS(".clock time[datetime='2026-03-03T12:00:00Z']")))

	w.do(chromedp.SendKeys(chromedp.CSS("#q"), "hand"))
	w.click("#find")
	w.do(chromedp.WaitVisible(chromedp.CSS("#clear")))
	if got := w.rows(); !slices.Equal(got, []string{"by hand"}) {
		t.Errorf("a search finds %q", got)
	}
	w.click("#clear")
	w.do(chromedp.WaitNotPresent(chromedp.CSS("#clear")))
	w.click("#sort-created")
	w.do(chromedp.WaitVisible(chromedp.CSS("th[aria-sort=descending] #sort-created")))
	if got := w.rows(); !slices.Equal(got, []string{"Sandbox management", "by hand"}) {
		t.Errorf("live tokens first, the list is %q", got)
	}
}

// An open page does not keep the server from stopping, and shows that it is offline.
func TestServerEndsWhileThePageIsOpen(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.expect("ERR_CONNECTION")
	began := time.Now()
	w.server.Close()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the server took %s to end", took)
	}
	w.await(`!document.getElementById("offline").hidden`)
}
