// Package inert makes text that others wrote safe to show: in a log, on a terminal, and in
// the Markdown of a job summary or an issue. Names of tokens, paths and answers of servers
// come from people who may want to be more than a name.
package inert

import (
	"regexp"
	"strings"
	"unicode"
)

// replacement stands for a character that would act on the text around it unseen.
const replacement = '\uFFFD'

// Line returns text in one line of at most most characters. Control characters become
// spaces. Characters that reorder or hide what is beside them (bidirectional controls,
// zero-width and other format characters) become U+FFFD, so that two names that differ look
// different.
func Line(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return '\n' // to be joined with a space
		case unseen(r):
			return replacement
		}
		return r
	}, text)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), " ")
	return Cut(text, most)
}

// Visible returns text with its lines and tabs. Every other control character, and every
// character that reorders or hides what is beside it, becomes U+FFFD.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unseen(r)) {
			return replacement
		}
		return r
	}, text)
}

// Short is [Line] with the room of a name.
func Short(text string) string { return Line(text, 200) }

// unseen reports characters without a shape of their own: the format characters of Unicode
// (category Cf), and the fillers that are letters by category and blank by sight.
func unseen(r rune) bool {
	switch r {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u3164', '\uFFA0':
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// Cut returns the first most characters of text, and an ellipsis if there are more.
func Cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// A zero-width space of our own keeps apart what GitHub would join into a link or a
// mention after it has decoded entities.
const apart = "&#8203;"

var escapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "[", "&#91;", "]", "&#93;", "\\", "&#92;",
	"*", "&#42;", "_", "&#95;", "!", "&#33;", "~", "&#126;", "$", "&#36;",
	"@", "&#64;"+apart, "#", "&#35;"+apart, "://", "&#58;"+apart+"//",
)

// A bare domain that GitHub links without a scheme.
var bareWWW = regexp.MustCompile(`(?i)\b(www)\.`)

// Markdown returns text as one line in which GitHub finds no markup: no table border, code,
// emphasis, strikethrough, mathematics, HTML, link, bare address, mention or reference to an
// issue.
func Markdown(text string) string {
	return bareWWW.ReplaceAllString(escapes.Replace(Line(text, 1000)), "$1&#46;"+apart)
}

// Code returns text as inline code, "" for no text.
func Code(text string) string {
	if text == "" {
		return ""
	}
	return "<code>" + Markdown(text) + "</code>"
}
