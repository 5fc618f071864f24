package fleetmodel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The table in the guide is the model's result.
func TestTableOfTheGuide(t *testing.T) {
	t.Parallel()
	want := Table()
	for _, file := range []string{"templates/guides/scale.md.tmpl", "docs/guides/scale.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not have this table:\n%s", file, want)
		}
	}
}

// The formula in the guide deviates from the model by at most 15 percent.
func TestFormulaOfTheGuide(t *testing.T) {
	t.Parallel()
	for _, entries := range []int{10_000, 100_000} {
		for _, shards := range []int{1, 10, 100} {
			for _, column := range columns {
				f := typical(entries, shards)
				column.bound(&f)
				model, formula := f.Run().Took, f.Formula()
				if ratio := formula.Seconds() / model.Seconds(); ratio < 0.85 || ratio > 1.15 {
					t.Errorf("%d entries, %d shards, %s: the model says %s, the formula %s", entries, shards, column.title, model, formula)
				}
			}
		}
	}
}
