package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// This file does what GitHub's runner does with what an action writes: it reads the
// command files and the log as the runner's own code does. It is the judge of the
// tests on leaks and injections.

// pair is a name and a value out of a command file.
type pair struct{ name, value string }

// fileCommands reads a file such as GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE.
func fileCommands(text string) ([]pair, error) {
	var pairs []pair
	rest := text
	for rest != "" {
		line, next, _ := strings.Cut(rest, "\n")
		rest = next
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			if equals == 0 {
				return nil, errors.New("a value without a name")
			}
			pairs = append(pairs, pair{line[:equals], line[equals+1:]})
		case heredoc >= 0:
			name, delimiter := line[:heredoc], line[heredoc+2:]
			if name == "" || delimiter == "" {
				return nil, errors.New("a block without a name or a delimiter")
			}
			value, after, err := block(rest, delimiter)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			pairs, rest = append(pairs, pair{name, value}), after
		default:
			return nil, fmt.Errorf("a line that is no command: %q", line)
		}
	}
	return pairs, nil
}

// block reads up to the line that is the delimiter.
func block(text, delimiter string) (value, after string, err error) {
	var lines []string
	for {
		line, next, more := strings.Cut(text, "\n")
		if line == delimiter {
			return strings.Join(lines, "\n"), next, nil
		}
		if !more {
			return "", "", errors.New("the delimiter is missing")
		}
		lines, text = append(lines, line), next
	}
}

// command is a workflow command out of the log.
type command struct{ name, properties, data string }

// commandOf reads a line of the log as a command, in the present and in the old form.
func commandOf(line string) (command, bool) {
	unescape := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace
	if text, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::"); ok {
		if info, data, ok := strings.Cut(text, "::"); ok {
			name, properties, _ := strings.Cut(info, " ")
			return command{name, properties, unescape(data)}, true
		}
	}
	if _, text, ok := strings.Cut(line, "##["); ok {
		if info, data, ok := strings.Cut(text, "]"); ok {
			name, properties, _ := strings.Cut(info, " ")
			return command{name, properties, data}, true
		}
	}
	return command{}, false
}

// lines splits a log as the runner does, for which a carriage return ends a line too.
func lines(log string) []string {
	return strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' })
}

// masker hides the values that add-mask names, and what else the runner derives of them.
type masker struct{ forms []string }

func (m *masker) add(value string) {
	for _, part := range append(lines(value), value) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		m.forms = append(m.forms, part, url.PathEscape(part), url.QueryEscape(part))
		if quoted, err := json.Marshal(part); err == nil {
			m.forms = append(m.forms, string(quoted[1:len(quoted)-1]))
		}
		m.forms = append(m.forms, inBase64(part)...)
	}
	slices.SortFunc(m.forms, func(a, b string) int { return len(b) - len(a) })
	m.forms = slices.Compact(m.forms)
}

func (m *masker) hide(text string) string {
	for _, form := range m.forms {
		text = strings.ReplaceAll(text, form, "***")
	}
	return text
}

// show is the log that people see. What is masked hides from its mask on, so a secret
// that is used before its mask shows.
func (m *masker) show(raw string) string {
	var shown strings.Builder
	for _, line := range lines(raw) {
		if c, ok := commandOf(line); ok {
			if c.name == "add-mask" {
				m.add(c.data)
				continue
			}
			line = strings.ToUpper(c.name) + " " + c.properties + ": " + c.data
		}
		shown.WriteString(m.hide(line) + "\n")
	}
	return shown.String()
}

// inBase64 gives what of a text is the same in every base64 of something that holds
// it: the digits at both ends depend on the neighbours.
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

// spellings gives every form of a secret to search for.
func spellings(secret string) []string {
	all := append([]string{secret, url.QueryEscape(secret), url.PathEscape(secret)}, inBase64(secret)...)
	if quoted, err := json.Marshal(secret); err == nil {
		all = append(all, string(quoted[1:len(quoted)-1]))
	}
	return append(all, secret[:len(secret)*2/3], secret[len(secret)/3:])
}

// leaks reports whether a text holds a secret in any form.
func leaks(text, secret string) bool {
	return slices.ContainsFunc(spellings(secret), func(form string) bool { return strings.Contains(text, form) })
}

func TestRunnerReadsCommandFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     []pair
		bad      bool
	}{
		{"a line", "a=b\n", []pair{{"a", "b"}}, false},
		{"an equals sign in the value", "a=b=c<<d\n", []pair{{"a", "b=c<<d"}}, false},
		{"a block", "a<<END\nb\nc=d\nEND\ne=f\n", []pair{{"a", "b\nc=d"}, {"e", "f"}}, false},
		{"an empty block", "a<<END\nEND\n", []pair{{"a", ""}}, false},
		{"empty lines", "\n\na=b\n\n", []pair{{"a", "b"}}, false},
		{"a delimiter inside of a line ends nothing", "a<<END\nxEND\nEND\n", []pair{{"a", "xEND"}}, false},
		{"no end", "a<<END\nb\n", nil, true},
		{"no name", "=b\n", nil, true},
		{"no command", "a\n", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := fileCommands(test.in)
			if (err != nil) != test.bad || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A search that finds nothing proves nothing unless it finds what is there.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	const secret = "pstk_sbx_0123+456/789=abcdef"
	for name, text := range map[string]string{
		"raw": "x" + secret + "y", "query": url.QueryEscape(secret), "start": "x" + secret[:20], "end": secret[9:],
		"base64": base64.StdEncoding.EncodeToString([]byte("Bearer " + secret)), "shifted": base64.StdEncoding.EncodeToString([]byte("x" + secret + "y")),
		"url base64": base64.RawURLEncoding.EncodeToString([]byte("xy" + secret)),
	} {
		if !leaks(text, secret) {
			t.Errorf("%s: not found", name)
		}
	}
	if leaks("pstk_sbx_9999", secret) {
		t.Error("found what is not there")
	}
	var m masker
	if log := m.show("::add-mask::" + secret + "\ntoken " + secret + "\n"); leaks(log, secret) || !strings.Contains(log, "***") {
		t.Errorf("the masker lets through: %s", log)
	}
}
