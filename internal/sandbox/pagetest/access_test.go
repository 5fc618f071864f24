package pagetest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// faint lists visible text whose contrast with its background is below 4.5:1, and fields and
// buttons whose border contrast is below 3:1, as defined by WCAG 2.2 AA (1.4.3 and 1.4.11).
const faint = `(() => {
  const rgba = (text) => { const c = (text.match(/[\d.]+/g) ?? []).map(Number); return c.length < 4 ? [...c, 1] : c };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => { const [r, g, b] = c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
  const behind = (e) => {
    const own = e ? rgba(getComputedStyle(e).backgroundColor) : [255, 255, 255, 1];
    return own[3] === 1 ? own : over(own, behind(e.parentElement));
  };
  const found = [];
  let seen = 0;
  const check = (what, color, back, least) => {
    seen++;
    const r = ratio(over(rgba(color), back), back);
    if (r < least) found.push(what + ": " + r.toFixed(2) + " to 1");
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(e);
    if ([...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) check(e.textContent.trim().slice(0, 40), e.closest("svg") ? style.fill : style.color, behind(e), 4.5);
    if (e.matches("input:not([type=hidden])")) {
      check("text of " + e.id, style.color, behind(e), 4.5);
      check("placeholder of " + e.id, getComputedStyle(e, "::placeholder").color, behind(e), 4.5);
    }
    if (e.matches("input:not([type=hidden]), button, .button") && parseFloat(style.borderTopWidth)) check("edge of " + (e.id || e.textContent), style.borderTopColor, behind(e.parentElement), 3);
  }
  if (seen < 15) found.push("only " + seen + " texts were seen");
  return found;
})()`

// unnamed lists interactive elements that have no accessible name.
func (w *tab) unnamed() []string {
	w.Helper()
	tree := call(w, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	var found []string
	used := 0
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		if !slices.Contains([]string{"button", "link", "textbox", "Date", "DisclosureTriangle", "dialog", "table", "navigation", "group", "image", "heading"}, role) {
			continue
		}
		used++
		if node.Name == nil || strings.Trim(string(node.Name.Value), `" `) == "" {
			if role == "group" && node.ChildIDs != nil { // the role of a <details> element
				continue
			}
			found = append(found, role)
		}
	}
	if used < 4 { // an open dialog leaves at least its title, itself and two buttons
		w.Errorf("only %d parts of the page were seen", used)
	}
	return found
}

// In light and dark, all visible text is readable, and all interactive elements have an
// accessible name.
func TestPageIsReadableForEverybody(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			var active, revoked string
			w := open(t, func(w *tab) {
				w.scheme(scheme)
				active, _ = w.sandbox.Mint("Nightly-ps1-k3v7q2m6xtab-7h2k5q-1-w5c2m4pa", noon().Add(90*24*time.Hour))
				w.sandbox.Clock().Advance(24 * time.Hour)
				w.sandbox.Mint("Nightly-ps1-k3v7q2m6xtab-7h2k5q-2-w5c2m4pb", noon().Add(60*24*time.Hour))
				w.sandbox.Mint("short", noon().Add(25*time.Hour))
				revoked, _ = w.sandbox.Mint("old", time.Time{})
				w.sandbox.Clock().Advance(24 * time.Hour)
				w.sandbox.Revoke(revoked)
			})
			check := func(what string) {
				t.Helper()
				w.accessible(what)
				for _, text := range ask[[]string](w, faint) {
					t.Errorf("%s: %s", what, text)
				}
				for _, role := range w.unnamed() {
					t.Errorf("%s: a %s has no name", what, role)
				}
			}
			check("the list")
			for _, path := range []string{"?dialog=generate", "?revoke=" + active, "?revoked=" + revoked} {
				w.do(chromedp.Navigate(w.server.URL + "/" + path))
				w.await(`document.querySelector("dialog:modal, .message:not([hidden])") !== null`)
				check(path)
			}
			w.click(row(active, "summary"))
			check("the menu")
			w.expect("status of 422")
			w.click("#new")
			w.do(chromedp.SendKeys(chromedp.CSS("#name"), " outer space "), chromedp.SetValue(chromedp.CSS("#expires"), "2020-01-01"))
			w.do(chromedp.Submit(chromedp.CSS("#name"))) // submits without the browser's own validation of "min"
			w.await(`document.querySelector("#generate:modal .error") !== null`)
			check("the form with errors")
			w.picture("errors-" + scheme)
			w.do(chromedp.Navigate(w.server.URL + "/"))
			w.generate("fresh", "")
			check("the new token")
		})
	}
}
