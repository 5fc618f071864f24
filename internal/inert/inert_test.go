package inert

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                    "plain",
		"two\r\nlines\u2028three":  "two lines three",
		"tab\tand \x1b[31mred\x07": "tab and  [31mred",
		"a\u0085b":                 "a b",
		"ci\u202egnp.exe":          "ci\uFFFDgnp.exe",
		"to\u200bken":              "to\uFFFDken",
		"soft\u00adhyphen \ufeff!": "soft\uFFFDhyphen \uFFFD!",
		"\u3164":                   "\uFFFD",
		"Ünïcode, 日本 and emoji 🔑":  "Ünïcode, 日本 and emoji 🔑",
	} {
		if got := Short(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Line("äöü", 2); got != "äö…" {
		t.Error(got)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	if got := Visible("a\tb\r\nc \x1b[31m \u202ed\u200be"); got != "a\tb\r\nc \uFFFD[31m \uFFFDd\uFFFDe" {
		t.Errorf("%q", got)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a|b `c` <img> [x](y) ![i](j)": "a&#124;b &#96;c&#96; &lt;img&gt; &#91;x&#93;(y) &#33;&#91;i&#93;(j)",
		"*a* _b_ ~~c~~ $d$ \\e &amp;":  "&#42;a&#42; &#95;b&#95; &#126;&#126;c&#126;&#126; &#36;d&#36; &#92;e &amp;amp;",
		"https://evil.example.com":     "https&#58;&#8203;//evil.example.com",
		"Www.evil.example.com":         "Www&#46;&#8203;evil.example.com",
		"@octocat me@example.com":      "&#64;&#8203;octocat me&#64;&#8203;example.com",
		"fixes #12":                    "fixes &#35;&#8203;12",
		"at 09:00:00 in awww.":         "at 09:00:00 in awww.",
	} {
		if got := Markdown(in); got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
	if Code("") != "" || Code("a|b") != "<code>a&#124;b</code>" {
		t.Error(Code(""), Code("a|b"))
	}
}

// Whatever the text is, the result contains nothing that could be markup.
func FuzzMarkdown(f *testing.F) {
	f.Add("a|b `c` <img src=x> [link](https://evil.example.com) www.x @y $z$ ~~")
	f.Add("\u202e\u200b\r\n| | |")
	f.Fuzz(func(t *testing.T, text string) {
		got := strings.ReplaceAll(Markdown(text), "&#8203;", "")
		for entity := range escapesBack {
			got = strings.ReplaceAll(got, entity, "")
		}
		got = strings.ReplaceAll(got, "&#58;", "") // of ://
		got = strings.ReplaceAll(got, "&#46;", "") // of www.
		if strings.ContainsAny(got, "<>|`[]\\*_!~$@#&\r\n\u202e\u200b") || strings.Contains(strings.ToLower(Markdown(text)), "://") {
			t.Errorf("%q: %q", text, got)
		}
	})
}

var escapesBack = map[string]bool{
	"&amp;": true, "&lt;": true, "&gt;": true, "&#124;": true, "&#96;": true, "&#91;": true, "&#93;": true, "&#92;": true,
	"&#42;": true, "&#95;": true, "&#33;": true, "&#126;": true, "&#36;": true, "&#64;": true, "&#35;": true,
}
