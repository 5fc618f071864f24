// Package runnertest models how GitHub's runner interprets an action's output. It parses
// command files and logs by the rules of the runner's source (actions/runner 2.336.0:
// FileCommandManager, ActionCommand, ActionCommandManager, ValueEncoders). Tests for leaks
// and injections use it as the oracle.
package runnertest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Pair is a name and a value from a command file.
type Pair struct{ Name, Value string }

// FileCommands parses a file such as GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE. As in the
// runner, an empty name before an equals sign is not an error.
func FileCommands(text string) ([]Pair, error) { return fileCommands(text, false) }

// FileCommandsOnWindows is like [FileCommands] but also accepts CRLF line ends, as the runner
// does on Windows.
func FileCommandsOnWindows(text string) ([]Pair, error) { return fileCommands(text, true) }

func fileCommands(text string, windows bool) ([]Pair, error) {
	var pairs []Pair
	rest := text
	for rest != "" {
		line, next, _ := cutLine(rest, windows)
		rest = next
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			pairs = append(pairs, Pair{line[:equals], line[equals+1:]})
		case heredoc >= 0:
			name, delimiter := line[:heredoc], line[heredoc+2:]
			if name == "" || delimiter == "" {
				return nil, errors.New("a block without a name or a delimiter")
			}
			value, after, err := block(rest, delimiter, windows)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			pairs, rest = append(pairs, Pair{name, value}), after
		default:
			return nil, fmt.Errorf("a line that is not a command: %q", line)
		}
	}
	return pairs, nil
}

// cutLine returns the first line of text and the rest. more is false if the line ended
// without a line break.
func cutLine(text string, windows bool) (line, rest string, more bool) {
	line, rest, more = strings.Cut(text, "\n")
	if before, _, crlf := strings.Cut(text, "\r\n"); windows && crlf && len(before) < len(line) {
		line = before
	}
	return line, rest, more
}

// block reads up to the delimiter line, which may end with the file. It preserves line breaks
// in the value.
func block(text, delimiter string, windows bool) (value, after string, err error) {
	end := 0
	for rest := text; ; {
		begin := len(text) - len(rest)
		line, next, more := cutLine(rest, windows)
		if line == delimiter {
			return text[:end], next, nil
		}
		if !more {
			return "", "", errors.New("the delimiter is missing")
		}
		end, rest = begin+len(line), next
	}
}

// registered reports whether name is a command that the runner executes.
func registered(name string) bool {
	return slices.Contains([]string{
		"stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher",
		"debug", "warning", "error", "notice", "group", "endgroup", "echo", "set-repo-path",
	}, strings.ToLower(name))
}

// Command is a workflow command from the log.
type Command struct {
	Name       string
	Properties map[string]string
	Data       string
}

// unescape applies replacements in the runner's order: the percent sign comes last.
func unescape(text string, pairs ...string) string {
	for pair := range slices.Chunk(append(pairs, "%25", "%"), 2) {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// CommandOf parses a line of the log as a command, in the current or the legacy format.
func CommandOf(line string) (Command, bool) {
	if text, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::"); ok {
		if info, data, ok := strings.Cut(text, "::"); ok {
			property := func(text string) string { return unescape(text, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",") }
			if c, ok := commandOf(info, ",", property); ok {
				c.Data = unescape(data, "%0D", "\r", "%0A", "\n")
				return c, true
			}
		}
	}
	if _, text, ok := strings.Cut(line, "##["); ok {
		if info, data, ok := strings.Cut(text, "]"); ok {
			old := func(text string) string { return unescape(text, "%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]") }
			if c, ok := commandOf(info, ";", old); ok {
				c.Data = old(data)
				return c, true
			}
		}
	}
	return Command{}, false
}

func commandOf(info, separator string, unescape func(string) string) (Command, bool) {
	name, properties, _ := strings.Cut(info, " ")
	if !registered(name) {
		return Command{}, false
	}
	c := Command{Name: strings.ToLower(name), Properties: map[string]string{}}
	for property := range strings.SplitSeq(properties, separator) {
		if key, value, ok := strings.Cut(strings.TrimSpace(property), "="); ok && key != "" && value != "" {
			c.Properties[key] = unescape(value)
		}
	}
	return c, true
}

// Lines splits a log as the runner does: a carriage return also ends a line.
func Lines(log string) []string {
	return strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Masker hides the values added with add-mask, and the encodings that the runner derives from
// them.
type Masker struct{ forms []string }

// Add masks a value and each of its lines.
func (m *Masker) Add(value string) {
	for _, part := range append(Lines(value), value) {
		if part = strings.TrimSpace(part); part != "" {
			m.forms = append(m.forms, part)
			m.forms = append(m.forms, encodings(part)...)
		}
	}
	m.forms = slices.DeleteFunc(m.forms, func(form string) bool { return form == "" })
	slices.SortFunc(m.forms, func(a, b string) int { return len(b) - len(a) })
	m.forms = slices.Compact(m.forms)
}

// encodings returns the value in each of the runner's value encoders.
func encodings(value string) []string {
	var all []string
	for shift := range 3 {
		if len(value) > shift {
			all = append(all, base64.StdEncoding.EncodeToString([]byte(value[shift:])))
		}
	}
	if quoted, err := json.Marshal(value); err == nil {
		all = append(all, string(quoted[1:len(quoted)-1]))
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(value)) // a strings.Builder never fails
	all = append(all,
		url.PathEscape(value), escaped.String(), strings.ReplaceAll(value, "'", "''"), strings.ReplaceAll(value, `"`, `\"`),
	)
	if len(value) > 8 {
		all = append(all, strings.Trim(value, `"`))
	}
	return append(all, powerShell(value)...)
}

// powerShell returns the parts of a value before and after an ampersand, which PowerShell
// colors separately in its errors.
func powerShell(value string) []string {
	before, after, found := strings.Cut(value, "&")
	if !found || strings.Contains(value, "&+") {
		return nil
	}
	var all []string
	for _, part := range []string{before, after} {
		if len(part) >= 6 {
			all = append(all, part)
		}
	}
	return all
}

func (m *Masker) hide(text string) string {
	for _, form := range m.forms {
		text = strings.ReplaceAll(text, form, "***")
	}
	return text
}

// MaxAnnotation is the number of characters of an annotation's message that GitHub shows.
const MaxAnnotation = 4096

// Show returns the log as users see it. A mask applies only to later output, so a secret
// written before its mask is visible. Annotations are truncated as the runner does.
func (m *Masker) Show(raw string) string {
	var shown strings.Builder
	for _, line := range Lines(raw) {
		if c, ok := CommandOf(line); ok {
			if c.Name == "add-mask" {
				m.Add(c.Data)
				continue
			}
			data := m.hide(c.Data)
			if units := utf16.Encode([]rune(data)); len(units) > MaxAnnotation {
				data = string(utf16.Decode(units[:MaxAnnotation]))
			}
			title := ""
			if c.Properties["title"] != "" {
				title = "title=" + c.Properties["title"]
			}
			line = strings.ToUpper(c.Name) + " " + title + ": " + data
		}
		shown.WriteString(m.hide(line) + "\n")
	}
	return shown.String()
}

// inBase64 returns the digits that every base64 encoding containing text has in common. The
// digits at both ends depend on adjacent bytes.
func inBase64(text string) []string {
	var all []string
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + text
		first, end := (shift*8+5)/6, len(padded)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString([]byte(padded))[first:end])
		}
	}
	return all
}

// spellings returns every encoding of a secret to search for.
func spellings(secret string) []string {
	all := append([]string{secret, url.QueryEscape(secret), url.PathEscape(secret)}, inBase64(secret)...)
	if quoted, err := json.Marshal(secret); err == nil {
		all = append(all, string(quoted[1:len(quoted)-1]))
	}
	return append(all, secret[:len(secret)*2/3], secret[len(secret)/3:])
}

// Leaks reports whether a text contains a secret in any encoding.
func Leaks(text, secret string) bool {
	return slices.ContainsFunc(spellings(secret), func(form string) bool { return strings.Contains(text, form) })
}
