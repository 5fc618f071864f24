package pagetest_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// axeCore returns the source of axe-core, which `tools/axe-core` downloads.
var axeCore = sync.OnceValues(func() (string, error) {
	root, err := tfcli.Repository()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, ".tools", "axe.js"))
	return string(text), err
})

// violations runs axe-core with the rules of WCAG 2.2, levels A and AA.
const violations = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then(result => ({
  passes: result.passes.length,
  found: result.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary)),
}))`

// accessible checks the current page with axe-core.
func (w *tab) accessible(what string) {
	w.Helper()
	program, err := axeCore()
	if err != nil {
		if os.Getenv("CI") == "true" {
			w.Fatal(err)
		}
		w.Skip("SKIPPED, NOT TESTED: run tools/axe-core first:", err)
	}
	if !ask[bool](w, `typeof axe === "object"`) {
		w.do(chromedp.Evaluate[chromedp.Void](program + "; undefined"))
	}
	result := ask[struct {
		Passes int      `json:"passes"`
		Found  []string `json:"found"`
	}](w, violations)
	if result.Passes < 5 {
		w.Errorf("%s: axe-core checked %d rules only", what, result.Passes)
	}
	for _, violation := range result.Found {
		w.Errorf("%s: %s", what, violation)
	}
}

// axe-core reports a violation that the test introduces.
func TestAxeFindsAViolation(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.accessible("the page as it is")
	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#new").textContent = ""; document.querySelector("h1").style.color = "#eee"; undefined`))
	found := ask[struct {
		Found []string `json:"found"`
	}](w, violations).Found
	if len(found) != 2 {
		t.Errorf("of a button without a name and a title without contrast, axe-core finds %q", found)
	}
}
