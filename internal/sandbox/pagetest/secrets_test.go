package pagetest_test

import (
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// crowded lists texts of a drawing that overlap each other or leave the drawing or their bar.
const crowded = `(() => {
  const box = e => e.getBoundingClientRect(), within = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const texts = [...document.querySelectorAll("svg text")], found = [];
  texts.forEach((t, i) => {
    if (!within(box(t), box(t.closest("svg")))) found.push("outside: " + t.textContent);
    if (t.matches(".on") && !within(box(t), box(t.previousElementSibling))) found.push("wider than its bar: " + t.textContent);
    for (const other of texts.slice(i + 1)) if (meet(box(t), box(other))) found.push(t.textContent + " on " + other.textContent);
  });
  return texts.length < 20 ? ["only " + texts.length + " texts"] : found;
})()`

// The drawing of who holds which secret is legible in light and dark, and with fallback
// fonts.
func TestDrawingOfTheSecretsIsLegible(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	drawing, err := os.ReadFile("../testdata/secrets.svg")
	if err != nil {
		t.Fatal(err)
	}
	w.do(chromedp.Navigate("about:blank"))
	frame := call(w, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	call(w, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: frame, HTML: `<!DOCTYPE html><html lang="en"><title>Secrets</title><meta name="color-scheme" content="light dark"><main>` + string(drawing) + `</main>`})
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(scheme)
		for _, text := range ask[[]string](w, crowded) {
			t.Errorf("%s: %s", scheme, text)
		}
		w.accessible("the drawing, " + scheme)
		w.picture("secrets-" + scheme)
	}
	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("svg text.on").textContent += " and much more than fits its bar"; undefined`))
	if len(ask[[]string](w, crowded)) == 0 {
		t.Error("a text that is too wide goes unseen")
	}
}
