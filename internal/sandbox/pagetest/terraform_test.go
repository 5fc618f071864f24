package pagetest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox/storeview"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// pipelines declares two tokens with different overlaps.
const pipelines = `
terraform {
  required_providers {
    paistrike = { source = "paistrike/paistrike" }
  }
}

resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "7d" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}

resource "paistrike_api_token" "scanner" {
  name       = "Nightly scan"
  expires_in = "60d"
  rotation   = { period = "30d", overlap = "12h" }
  vault      = { mount = "secret", path = "scan/paistrike" }
}
`

// The page is open while Terraform creates tokens, rotates one and revokes the old one. The
// test touches the page only to move the clock.
func TestTerraformWorksBesideThePage(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	tf := w.terraform(pipelines)
	apply := func() {
		t.Helper()
		if _, err := tf.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	working := func(group string) string { return `document.querySelector("` + group + ` .state")?.textContent ?? ""` }

	apply()
	w.await(`document.querySelectorAll("tbody.slot").length === 2 && document.querySelectorAll(".state.overlap").length === 0`)
	if got := ask[string](w, working("tbody.slot")); got != "1 token works" {
		t.Errorf("after the first apply the page says %q", got)
	}

	w.click("#clock-30d")
	w.await(`document.querySelector(".clock time").dateTime.startsWith("2026-04-01")`)
	apply()
	w.await(`document.querySelectorAll(".state.overlap").length === 2 && document.querySelectorAll("td.name").length === 5`)
	for day := 2; day <= 6; day++ { // waits each time, because a click during a page load would be lost
		w.click("#clock-1d")
		w.await(fmt.Sprintf(`document.querySelector(".clock time").dateTime.startsWith("2026-04-%02d")`, day))
	}
	apply()
	w.await(`document.querySelectorAll(".badge.Revoked").length === 1 && document.querySelectorAll(".state.overlap").length === 1`)
	// Each group names the entry that serves it, with its current state in Vault.
	w.await(`document.querySelectorAll("tbody.slot .held").length === 2 && document.querySelectorAll("tbody.slot .retires").length === 1`)
	if got := w.words("tbody.slot .entry"); len(got) != 2 || !strings.HasPrefix(got[0], "Vault secret/ci/paistrike version 2 serves ") ||
		!strings.Contains(got[0], "the old token works until 8 Apr 2026, 12:00 UTC") || !strings.HasPrefix(got[1], "Vault secret/scan/paistrike version 2 serves ") {
		t.Errorf("the entries say %q", got)
	}
	if got := ask[string](w, working("tbody.slot:has(.overlap)")); got != "Overlap: 2 tokens work since 1 Apr 2026, 12:00 UTC" {
		t.Errorf("during the overlap the page says %q", got)
	}
	if n := ask[int](w, `document.querySelectorAll("rect.band").length`); n != 2 {
		t.Errorf("%d overlaps are drawn, want the one that goes on and the one that is over", n)
	}
	w.do(chromedp.EmulateViewport(1240, 1090), chromedp.Blur(chromedp.CSS("#clock-1d")))
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(scheme)
		w.picture("overlap-" + scheme)
	}

	w.sandbox.Clock().Advance(3 * 24 * time.Hour)
	apply()
	w.await(`document.querySelectorAll(".badge.Revoked").length === 2 && document.querySelectorAll(".state.overlap").length === 0`)
}

// terraform returns a workspace that uses the tab's sandbox, and a Vault that runs on its
// clock and whose entries the page shows.
func (w *tab) terraform(configuration string) *tfcli.Workspace {
	w.Helper()
	programs, err := tfcli.Programs()
	if err != nil {
		if os.Getenv("CI") == "true" {
			w.Fatal(err)
		}
		w.Skip("SKIPPED, NOT TESTED:", err)
	}
	if err := tfcli.BuildProvider(w.Context(), providerDir); err != nil {
		w.Fatal(err)
	}
	vault, root := testparts.KV(w.T, testparts.WithClock(w.server.URL+"/_sandbox/clock"))
	w.sandbox.ShowStores(storeview.Vault(vault, root))
	tf, err := tfcli.New(programs[0], providerDir, w.TempDir(),
		"PAISTRIKE_ENDPOINT="+w.server.URL, "PAISTRIKE_API_TOKEN="+w.secret, "VAULT_ADDR="+vault, "VAULT_TOKEN="+root, "VAULT_MAX_RETRIES=0")
	if err != nil {
		w.Fatal(err)
	}
	if err := tf.Write("main.tf", configuration); err != nil {
		w.Fatal(err)
	}
	return tf
}
