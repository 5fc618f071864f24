package pagetest_test

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// picture saves a screenshot of the tab in .pictures.
func (w *tab) picture(name string) {
	w.Helper()
	w.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2)) // moves the pointer off all elements
	shot, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.Fatal(err)
	}
	savePicture(w.T, name, shot)
}

func savePicture(t *testing.T, name string, shot []byte) {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, indexed(full)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pictureFile(t, name), small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pictureFile returns the path of a screenshot.
func pictureFile(t *testing.T, name string) string {
	t.Helper()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".pictures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name+".png")
}

// indexed reduces an image to its 256 most common colors, which makes the file two thirds
// smaller. Only the antialiased edges of letters use more.
func indexed(full image.Image) image.Image {
	bounds := full.Bounds()
	uses := map[color.Color]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			uses[full.At(x, y)]++
		}
	}
	var palette color.Palette = slices.SortedFunc(maps.Keys(uses), func(a, b color.Color) int { return cmp.Compare(uses[b], uses[a]) })
	palette = palette[:min(len(palette), 256)]
	nearest := map[color.Color]uint8{}
	for c := range uses {
		nearest[c] = uint8(palette.Index(c)) //nolint:gosec // 256 colors at most
	}
	small := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[full.At(x, y)])
		}
	}
	return small
}
