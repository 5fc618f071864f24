package secret

import (
	"slices"
	"strings"
	"unicode"
)

const (
	// maxText is the maximum length of a foreign text in an error, in characters.
	maxText = 300
	// maxRead is how much of a text is examined, in bytes.
	maxRead = 4096
	// echo is how many consecutive characters a text may share with a secret.
	echo = 7
	// longWord is the length from which a word of letters and digits counts as a secret,
	// in characters.
	longWord = 20
)

// Redactor removes secrets from texts that others wrote.
type Redactor struct{ secrets []string }

// NewRedactor returns a redactor that knows the given secrets.
func NewRedactor(secrets ...Secret) Redactor {
	var r Redactor
	for _, secret := range secrets {
		r.secrets = append(r.secrets, secret.Reveal())
	}
	return r
}

// Redact makes foreign text safe for an error: one line of at most 300 characters, without
// any word that repeats a part of one of the secrets or looks like a secret itself.
// Secrets of up to 7 characters are not searched for, because they would match ordinary
// words.
func Redact(text string, secrets ...Secret) string {
	long := slices.DeleteFunc(slices.Clone(secrets), func(s Secret) bool { return len(s.Reveal()) <= echo })
	return NewRedactor(long...).Text(text)
}

// Text makes foreign text safe for an error: one line of at most 300 characters, without
// secrets.
func (r Redactor) Text(s string) string {
	// Make one line first: a character that is dropped later must not join the halves of a
	// secret.
	s = r.hide(oneLine(s[:min(len(s), maxRead)]))
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText-1]) + "…"
	}
	return s
}

// Code returns s if it can be an error code, or "".
func (r Redactor) Code(s string) string {
	if s = r.Word(s); looksSecret(s) {
		return ""
	}
	return s
}

// Word returns s if it is one plain word, such as a request ID, or "".
func (r Redactor) Word(s string) string {
	odd := func(c rune) bool { return !letterOrDigit(c) && !strings.ContainsRune("_-.:/", c) }
	if len(s) > 100 || strings.ContainsFunc(s, odd) || slices.Contains(r.echoes(s), true) {
		return ""
	}
	return s
}

// hide replaces every word that repeats a part of a secret, or looks like one.
func (r Redactor) hide(s string) string {
	echoed := r.echoes(s)
	var b strings.Builder
	hidden := false
	for i := 0; i < len(s); {
		end := i + 1
		secret := echoed[i]
		if isWordByte(s[i]) {
			for ; end < len(s) && isWordByte(s[end]); end++ {
				secret = secret || echoed[end]
			}
			secret = secret || looksSecret(s[i:end])
		}
		switch {
		case !secret:
			b.WriteString(s[i:end])
		case !hidden:
			b.WriteString(redacted)
		}
		hidden, i = secret, end
	}
	return strings.ToValidUTF8(b.String(), "")
}

// echoes marks the bytes of s that repeat more than echo consecutive bytes of a secret, so
// that truncated, escaped or wrapped secrets are found too.
func (r Redactor) echoes(s string) []bool {
	marks := make([]bool, len(s))
	for _, secret := range r.secrets {
		width := min(len(secret), echo+1)
		for i := 0; width > 0 && i+width <= len(s); i++ {
			if strings.Contains(secret, s[i:i+width]) {
				for j := i; j < i+width; j++ {
					marks[j] = true
				}
			}
		}
	}
	return marks
}

// isWordByte reports whether tokens may contain b. It excludes dots and slashes, which
// also join host names and paths.
func isWordByte(b byte) bool {
	return letterOrDigit(rune(b)) || strings.IndexByte("_-+=~|", b) >= 0
}

func looksSecret(word string) bool {
	return len(word) >= longWord && strings.ContainsAny(word, "0123456789") &&
		strings.ContainsFunc(word, unicode.IsLetter)
}

// oneLine replaces each run of spaces and control characters with one space.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

func letterOrDigit(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// IsVisible reports whether a text can be sent in a header and masked in a log: it is not
// empty and contains only visible ASCII characters.
func IsVisible(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}
