package fleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// WriteJSON writes the report, indented. It never has the text of all entries in memory.
func (r Report) WriteJSON(out io.Writer) error {
	entries := r.Entries
	r.Entries = Entries{}
	return writeJSON(out, r, entries)
}

// WriteJSON writes the report, indented. It never has the text of all entries in memory.
func (r AuditReport) WriteJSON(out io.Writer) error {
	entries := r.Entries
	r.Entries = Entries{}
	return writeJSON(out, r, entries)
}

// WriteJSON writes the report, indented.
func (r AbandonReport) WriteJSON(out io.Writer) error { return writeJSON(out, r, Entries{}) }

// noEntries is the JSON of a report without its entries. No text in it says so:
// a quotation mark within a text is written as \".
const noEntries = `"entries": []`

// writeJSON writes a report that was left without its entries, with them.
func writeJSON(w io.Writer, report any, entries Entries) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w) // it keeps the first error
	before, after, without := bytes.Cut(append(raw, '\n'), []byte(noEntries))
	_, _ = out.Write(before)
	if without {
		if err := writeEntries(out, entries); err != nil {
			return err
		}
	}
	_, _ = out.Write(after)
	return out.Flush()
}

// writeEntries writes the entries one by one.
func writeEntries(out *bufio.Writer, entries Entries) error {
	const indent = "    "
	_, _ = out.WriteString(strings.TrimSuffix(noEntries, "]"))
	for i, e := range entries.All() {
		raw, err := json.MarshalIndent(e, indent, "  ")
		if err != nil {
			return err
		}
		if i > 0 {
			_ = out.WriteByte(',')
		}
		_, _ = out.WriteString("\n" + indent)
		_, _ = out.Write(raw)
	}
	if entries.Len() > 0 {
		_, _ = out.WriteString("\n  ")
	}
	return out.WriteByte(']')
}
