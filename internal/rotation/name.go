package rotation

import (
	"encoding/base32"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"
)

const (
	// MaxNameLength is PAIStrike's limit for a token name, in code points.
	MaxNameLength = 100
	// MaxLabelLength is the share of that limit for the user's label, in code points. The
	// rest is the suffix of [Name].
	MaxLabelLength = 60

	incLength   = 6
	nonceLength = 8
)

// Name is the structured name of a token: the user's label, and a suffix that does the
// work of an idempotency key. Example: "CI/CD
// Pipeline-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa".
type Name struct {
	Label string
	Slot  string // the entry of the token; see [entry.Slot]
	Inc   string // the incarnation of that entry
	Gen   int    // the generation that the token was minted for
	Nonce string // random, unique to each attempt
}

var namePattern = regexp.MustCompile(`(?s)^(.*)-ps1-([a-z2-7]{12})-([a-z2-7]{6})-([1-9][0-9]{0,9})-([a-z2-7]{8})$`)

// lower is base32 in lowercase without padding, which is safe in names, URLs and shells.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String returns the token name. It truncates the label if the name would exceed
// [MaxNameLength].
func (n Name) String() string {
	suffix := fmt.Sprintf("-ps1-%s-%s-%d-%s", n.Slot, n.Inc, n.Gen, n.Nonce)
	label := []rune(n.Label)
	if room := MaxNameLength - len(suffix); len(label) > room {
		label = label[:room]
	}
	return string(label) + suffix
}

// ParseName parses a name that [Name.String] returned. It returns false for any other
// name, such as one that a person chose.
func ParseName(name string) (Name, bool) {
	groups := namePattern.FindStringSubmatch(name)
	if groups == nil || !utf8.ValidString(name) {
		return Name{}, false
	}
	gen, err := strconv.Atoi(groups[4])
	if err != nil {
		return Name{}, false
	}
	return Name{Label: groups[1], Slot: groups[2], Inc: groups[3], Gen: gen, Nonce: groups[5]}, true
}

// runPattern matches the names that [RunName] returns.
var runPattern = regexp.MustCompile(`(?s)^(.*)-run-([a-z2-7]{16})$`)

// RunName returns the name of a token that lives for one run of Terraform and that no
// entry serves. random has 16 characters, a to z and 2 to 7.
func RunName(label, random string) string { return label + "-run-" + random }

// IsRunName reports whether name has the form that [RunName] returns.
func IsRunName(name string) bool { return runPattern.MatchString(name) }

// Label returns the label of a token: its name without the suffix that this package adds.
func Label(tokenName string) string {
	if name, ok := ParseName(tokenName); ok {
		return name.Label
	}
	return tokenName
}

// newNonce returns length random characters of 5 bits each.
func newNonce(random io.Reader, length int) (string, error) {
	raw := make([]byte, (length*5+7)/8)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return lower.EncodeToString(raw)[:length], nil
}
