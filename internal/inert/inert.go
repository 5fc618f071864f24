// Package inert makes text from untrusted sources safe to show in a log, on a terminal,
// and in the Markdown of a job summary or an issue. Token names, paths and server
// responses may be crafted to act as markup or control sequences.
package inert

import (
	"regexp"
	"strings"
	"unicode"
)

// replacement replaces a character that would invisibly affect the text around it.
const replacement = '\uFFFD'

// Line returns text as one line, truncated by [Cut]. Control characters become spaces.
// Characters that reorder or hide adjacent text (bidirectional controls, zero-width and
// other format characters) become U+FFFD, so that two different names look different.
func Line(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return '\n' // later joined with a space
		case unseen(r):
			return replacement
		}
		return r
	}, text)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), " ")
	return Cut(text, most)
}

// Visible returns text with its line breaks and tabs. Every other control character, and
// every character that reorders or hides adjacent text, becomes U+FFFD.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unseen(r)) {
			return replacement
		}
		return r
	}, text)
}

// Short is [Line] with the maximum length of a name.
func Short(text string) string { return Line(text, 200) }

// unseen reports whether a character is invisible: the format characters of Unicode
// (category Cf), and fillers that are letters by category but look blank.
func unseen(r rune) bool {
	switch r {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u3164', '\uFFA0':
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// Cut returns the first most characters of text, followed by an ellipsis if it was longer.
func Cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// apart is a zero-width space that separates what GitHub would join into a link or a
// mention after decoding entities.
const apart = "&#8203;"

var escapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "[", "&#91;", "]", "&#93;", "\\", "&#92;",
	"*", "&#42;", "_", "&#95;", "!", "&#33;", "~", "&#126;", "$", "&#36;",
	"@", "&#64;"+apart, "#", "&#35;"+apart, "://", "&#58;"+apart+"//",
)

// bareWWW matches a domain that GitHub links without a scheme.
var bareWWW = regexp.MustCompile(`(?i)\b(www)\.`)

// Markdown returns text as one line in which GitHub finds no markup: no table border,
// code, emphasis, strikethrough, math, HTML, link, bare address, mention or reference to
// an issue.
func Markdown(text string) string {
	return bareWWW.ReplaceAllString(escapes.Replace(Line(text, 1000)), "$1&#46;"+apart)
}

// Code returns text as inline code, or "" if text is empty.
func Code(text string) string {
	if text == "" {
		return ""
	}
	return "<code>" + Markdown(text) + "</code>"
}
