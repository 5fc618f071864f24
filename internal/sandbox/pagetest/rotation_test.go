package pagetest_test

import (
	"bytes"
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// update regenerates the pictures that the README shows.
var update = flag.Bool("update", false, "put the pictures that the README shows into internal/sandbox/testdata")

// maxPictures limits the total size of the README's pictures, in bytes.
const maxPictures = 300_000

const pipeline = `
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
`

// scene is one step of a story: Terraform's output and the page.
type scene struct {
	Number          int
	Title, Say      string
	Command, Output string
	Group           template.HTML
}

// TestPictureOfARotation performs the rotation that the README shows and takes its pictures.
// All text in them comes from Terraform and from the page.
func TestPictureOfARotation(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	tf := w.terraform(pipeline)
	var scenes []scene
	play := func(title, say, await string, command []string, lines ...string) {
		t.Helper()
		said, err := tf.Run(t.Context(), append(command, "-no-color")...)
		if err != nil {
			t.Fatal(err)
		}
		w.await(await)
		group := ask[string](w, `document.querySelector("tbody.slot").outerHTML`)
		scenes = append(scenes, scene{
			Number: len(scenes) + 1, Title: title, Say: say, Command: "terraform " + command[0],
			Output: excerpt(t, said.Stdout, lines...), Group: template.HTML(group), //nolint:gosec // the page's own
		})
	}
	if _, err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sandbox.Clock().Advance(30 * 24 * time.Hour)
	play("Plan", "A month has passed, so the token is due. The plan says why, and changes nothing.",
		`document.querySelector(".entry")?.textContent.includes("due since") && document.querySelectorAll("tbody.slot .held").length === 1`,
		[]string{"plan"}, "# paistrike_api_token.ci will be", "~ rotation_reason", "Plan:")
	play("Rotation", "Apply makes a new token and puts it into Vault. The old one goes on working.",
		`document.querySelector(".state.overlap") !== null && document.querySelectorAll(".timeline .tick").length === 1`,
		[]string{"apply", "-auto-approve"}, "paistrike_api_token.ci: Modifications", "Apply complete!")
	w.sandbox.Clock().Advance(3 * 24 * time.Hour)
	play("Overlap", "Consumers pick up the new secret when they like. Nothing is left to do.",
		`document.querySelectorAll("rect.band").length === 1 && document.querySelector(".clock time").dateTime.startsWith("2026-04-04")`,
		[]string{"plan"}, "No changes.")
	w.sandbox.Clock().Advance(4*24*time.Hour + time.Hour)
	play("Retirement", "The overlap is over: the next run, whichever it is, revokes the old token.",
		`document.querySelectorAll("tbody.slot .badge.Revoked").length === 1 && !document.querySelector(".entry").textContent.includes("works until")`,
		[]string{"apply", "-auto-approve"}, "~ previous_tokens", "- revoke_after", "Apply complete!")
	if got := w.words("tbody.slot [data-label=Expires]"); len(got) != 2 || !strings.HasSuffix(got[1], "revoked just now") {
		t.Errorf("at the end the tokens expire %q", got)
	}
	w.paint("rotation", scenes)
}

// excerpt returns the lines of text with the given prefixes, in this order.
func excerpt(t *testing.T, text string, beginnings ...string) string {
	t.Helper()
	var picked []string
	for line := range strings.Lines(text) {
		line = regexp.MustCompile(` \[id=\w+\]| +(=)`).ReplaceAllString(strings.TrimSpace(line), " $1")
		if len(picked) < len(beginnings) && strings.HasPrefix(line, beginnings[len(picked)]) {
			picked = append(picked, strings.TrimSpace(line))
		}
	}
	if len(picked) != len(beginnings) {
		t.Fatalf("Terraform did not say %q:\n%s", beginnings[len(picked)], text)
	}
	return strings.Join(picked, "\n")
}

// paint renders the scenes as one picture each in light and dark.
func (w *tab) paint(name string, scenes []scene) {
	w.Helper()
	style, err := os.ReadFile("../page/style.css")
	if err != nil {
		w.Fatal(err)
	}
	var document bytes.Buffer
	story := template.Must(template.ParseFiles("testdata/story.html"))
	if err := story.Execute(&document, map[string]any{"Style": template.CSS(style), "Scenes": scenes}); err != nil { //nolint:gosec // the page's own
		w.Fatal(err)
	}
	w.do(chromedp.Navigate("about:blank"))
	frame := call(w, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	call(w, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: frame, HTML: document.String()})
	size := func(height int64) {
		call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 980, Height: height, DeviceScaleFactor: 1.25})
	}
	size(400)
	size(ask[int64](w, `document.documentElement.scrollHeight`))
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(scheme)
		w.picture(name + "-" + scheme)
		if *update {
			shot, err := os.ReadFile(pictureFile(w.T, name+"-"+scheme))
			if err != nil {
				w.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join("..", "testdata", name+"-"+scheme+".png"), shot, 0o644); err != nil { //nolint:gosec // it is for everybody
				w.Fatal(err)
			}
		}
	}
}

// The README's pictures exist, have alternative texts, and are small.
func TestPicturesOfTheREADME(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`(?:src|srcset)="([^"]+)"`).FindAllSubmatch(readme, -1)
	total := int64(0)
	for _, file := range files {
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(string(file[1]))))
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if len(files) < 3 || total > maxPictures {
		t.Errorf("%d pictures with %d bytes, want at least 3 with at most %d", len(files), total, maxPictures)
	}
	images := regexp.MustCompile(`<img [^>]*>`).FindAll(readme, -1)
	for _, image := range images {
		if !regexp.MustCompile(`alt="[^"]{40,}"`).Match(image) {
			t.Errorf("%s says too little to those who do not see it", image)
		}
	}
}
