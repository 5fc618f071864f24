// Package runnertest does what GitHub's runner does with what an action writes: it reads the
// command files and the log by the rules of the runner's source (actions/runner 2.336.0:
// FileCommandManager, ActionCommand, ActionCommandManager, ValueEncoders). It is the judge of
// the tests on leaks and injections.
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

// Pair is a name and a value out of a command file.
type Pair struct{ Name, Value string }

// FileCommands reads a file such as GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE. As in the
// runner, an empty name before an equals sign is not an error.
func FileCommands(text string) ([]Pair, error) { return fileCommands(text, false) }

// FileCommandsOnWindows reads such a file as the runner does on Windows, where a line
// may end in CRLF as well.
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

// cutLine returns the first line of a text and what comes after it. No more says that
// the text ended without a line break.
func cutLine(text string, windows bool) (line, rest string, more bool) {
	line, rest, more = strings.Cut(text, "\n")
	if before, _, crlf := strings.Cut(text, "\r\n"); windows && crlf && len(before) < len(line) {
		line = before
	}
	return line, rest, more
}

// block reads up to the line that is the delimiter, which may end with the file. Line
// breaks inside the value are kept as they are.
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

// registered are the commands that the runner obeys; anything else is text.
func registered(name string) bool {
	return slices.Contains([]string{
		"stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher",
		"debug", "warning", "error", "notice", "group", "endgroup", "echo", "set-repo-path",
	}, strings.ToLower(name))
}

// Command is a workflow command out of the log.
type Command struct {
	Name       string
	Properties map[string]string
	Data       string
}

// The order of replacements is the runner's: the percent sign comes last.
func unescape(text string, pairs ...string) string {
	for pair := range slices.Chunk(append(pairs, "%25", "%"), 2) {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// CommandOf reads a line of the log as a command, in the present and in the old form.
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

// Lines splits a log as the runner does, for which a carriage return ends a line too.
func Lines(log string) []string {
	return strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Masker hides the values that add-mask names, and what else the runner derives of them.
type Masker struct{ forms []string }

// Add masks a value, and each of its lines.
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

// encodings are the runner's value encoders.
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
	_ = xml.EscapeText(&escaped, []byte(value)) // a strings.Builder takes all
	all = append(all,
		url.PathEscape(value), escaped.String(), strings.ReplaceAll(value, "'", "''"), strings.ReplaceAll(value, `"`, `\"`),
	)
	if len(value) > 8 {
		all = append(all, strings.Trim(value, `"`))
	}
	return append(all, powerShell(value)...)
}

// powerShell are the parts of a value around an ampersand, between which PowerShell puts
// colors in its errors.
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

// MaxAnnotation is how many characters of an annotation's message people see.
const MaxAnnotation = 4096

// Show returns the log that people see. A mask hides from where it stands on, so a secret
// that is used before its mask shows. An annotation is cut where the runner cuts it.
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

// inBase64 returns what of a text is the same in every base64 of something that holds it: the
// digits at both ends depend on the neighbors.
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

// spellings returns every form of a secret to search for.
func spellings(secret string) []string {
	all := append([]string{secret, url.QueryEscape(secret), url.PathEscape(secret)}, inBase64(secret)...)
	if quoted, err := json.Marshal(secret); err == nil {
		all = append(all, string(quoted[1:len(quoted)-1]))
	}
	return append(all, secret[:len(secret)*2/3], secret[len(secret)/3:])
}

// Leaks reports whether a text holds a secret in any form.
func Leaks(text, secret string) bool {
	return slices.ContainsFunc(spellings(secret), func(form string) bool { return strings.Contains(text, form) })
}
