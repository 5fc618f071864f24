package report

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	gap = 2 // spaces between two cells
	// narrowest is the minimum width to which a column shrinks.
	narrowest = 9
)

// aligned sets rows in columns below a head; a head alone is nothing. If the rows are wider
// than width, which is 0 for any width, the widest columns break their cells over lines. The
// rows are gone through twice, and not kept: there may be very many.
func aligned(head []string, rows iter.Seq[[]string], width int) string {
	widths := make([]int, len(head))
	measure := func(row []string) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	count := 0
	for row := range rows {
		measure(row)
		count++
	}
	if count == 0 {
		return ""
	}
	measure(head)
	shrink(widths, width)
	var b strings.Builder
	write(&b, head, widths)
	for row := range rows {
		write(&b, row, widths)
	}
	return b.String()
}

// write writes a row, over as many lines as its cells need.
func write(b *strings.Builder, row []string, widths []int) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = broken(cell, widths[i])
		height = max(height, len(cells[i]))
	}
	for line := range height {
		b.WriteString(lineOf(cells, widths, line))
	}
}

// shrink reduces the widest columns until all fit into width.
func shrink(widths []int, width int) {
	if width <= 0 {
		return
	}
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := slices.Index(widths, slices.Max(widths))
		if widths[widest] <= narrowest {
			return
		}
		widths[widest]--
	}
}

// broken wraps a cell into lines of a width, between words if possible.
func broken(cell string, width int) []string {
	var lines []string
	line := []rune{}
	for word := range strings.SplitSeq(cell, " ") {
		runes := []rune(word)
		if len(line) > 0 && len(line)+1+len(runes) > width {
			lines, line = append(lines, string(line)), nil
		} else if len(line) > 0 {
			line = append(line, ' ')
		}
		for len(line)+len(runes) > width && width > 0 {
			lines, runes = append(lines, string(line)+string(runes[:width-len(line)])), runes[width-len(line):]
			line = nil
		}
		line = append(line, runes...)
	}
	return append(lines, string(line))
}

// lineOf returns one line of a row.
func lineOf(cells [][]string, widths []int, line int) string {
	var b strings.Builder
	for i, cell := range cells {
		text := ""
		if line < len(cell) {
			text = cell[line]
		}
		b.WriteString(text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+gap))
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}
