package runnertest

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestRunnerReadsCommandFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     []Pair
		bad      bool
	}{
		{"a line", "a=b\n", []Pair{{"a", "b"}}, false},
		{"an equals sign in the value", "a=b=c<<d\n", []Pair{{"a", "b=c<<d"}}, false},
		{"a block", "a<<END\nb\nc=d\nEND\ne=f\n", []Pair{{"a", "b\nc=d"}, {"e", "f"}}, false},
		{"an empty block", "a<<END\nEND\n", []Pair{{"a", ""}}, false},
		{"a block that ends with the file", "a<<END\nb\nEND", []Pair{{"a", "b"}}, false},
		{"empty lines", "\n\na=b\n\n", []Pair{{"a", "b"}}, false},
		{"a delimiter inside of a line ends nothing", "a<<END\nxEND\nEND\n", []Pair{{"a", "xEND"}}, false},
		{"an empty name", "=b\n", []Pair{{"", "b"}}, false},
		{"no end", "a<<END\nb\n", nil, true},
		{"no end, and no line break", "a<<END", nil, true},
		{"a block without a name", "<<END\nEND\n", nil, true},
		{"no command", "a\n", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := FileCommands(test.in)
			if (err != nil) != test.bad || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// Only on Windows is a carriage return part of the line end.
func TestRunnerOnWindowsReadsCommandFiles(t *testing.T) {
	t.Parallel()
	const text = "a=b\r\nc<<END\r\nd\r\ne\r\nEND\r\nf<<END\ng\nEND\n"
	if got, err := FileCommandsOnWindows(text); err != nil || !slices.Equal(got, []Pair{{"a", "b"}, {"c", "d\r\ne"}, {"f", "g"}}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := FileCommands("a=b\r\n"); err != nil || !slices.Equal(got, []Pair{{"a", "b\r"}}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRunnerReadsCommands(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, name, title, data string }{
		{"::warning title=a%3Ab%2Cc%25::x%0Ay%25", "warning", "a:b,c%", "x\ny%"},
		{"  ::Warning::x", "warning", "", "x"},
		{"text ##[error title=a%3Bb%5D]x%5Dy%3Bz", "error", "a;b]", "x]y;z"},
		{"::warning::%250A", "warning", "", "%0A"},
		{"::no-such-command::x", "", "", ""},
		{"##[no-such-command]x", "", "", ""},
		{"::warning x", "", "", ""},
		{"text ::warning::x", "", "", ""},
		{"::nothing::##[warning]x", "warning", "", "x"},
	} {
		c, ok := CommandOf(test.line)
		if ok != (test.name != "") || c.Name != test.name || c.Properties["title"] != test.title || c.Data != test.data {
			t.Errorf("%q: %+v", test.line, c)
		}
	}
}

func TestAnnotationsAreCut(t *testing.T) {
	t.Parallel()
	var m Masker
	if got := m.Show("::error::" + strings.Repeat("x", 5000)); len(got) != len("ERROR : \n")+MaxAnnotation {
		t.Errorf("%d characters", len(got))
	}
}

// The runner masks a value's base64 at three offsets, but not the adjacent digits.
func TestMasksAreTheRunners(t *testing.T) {
	t.Parallel()
	const secret = "a&longer'<value>"
	var m Masker
	m.Add(secret)
	for name, text := range map[string]string{
		"raw": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret)), "shifted": base64.StdEncoding.EncodeToString([]byte(secret[1:])),
		"XML": "a&amp;longer&#39;&lt;value&gt;", "expression": strings.ReplaceAll(secret, "'", "''"), "URI": url.PathEscape(secret), "PowerShell": "longer'<value>",
	} {
		if got := m.hide(text); got != "***" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if text := base64.RawURLEncoding.EncodeToString([]byte("xy" + secret + "z")); m.hide(text) != text {
		t.Error("the runner does not mask what it cannot know")
	}
}

// Leaks finds a secret in every encoding, so that its negative results mean something.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	const secret = "pstk_sbx_0123+456/789=abcdef"
	for name, text := range map[string]string{
		"raw": "x" + secret + "y", "query": url.QueryEscape(secret), "start": "x" + secret[:20], "end": secret[9:],
		"base64": base64.StdEncoding.EncodeToString([]byte("Bearer " + secret)), "shifted": base64.StdEncoding.EncodeToString([]byte("x" + secret + "y")),
		"url base64": base64.RawURLEncoding.EncodeToString([]byte("xy" + secret)),
	} {
		if !Leaks(text, secret) {
			t.Errorf("%s: not found", name)
		}
	}
	if Leaks("pstk_sbx_9999", secret) {
		t.Error("found what is not there")
	}
	var m Masker
	if log := m.Show("::add-mask::" + secret + "\ntoken " + secret + "\n"); Leaks(log, secret) || !strings.Contains(log, "***") {
		t.Errorf("the masker lets through: %s", log)
	}
}
