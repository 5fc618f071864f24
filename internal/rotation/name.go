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
	// MaxLabelLength is what a user's name may take of it, in code points; the
	// rest is the suffix of [Name].
	MaxLabelLength = 60

	incLength   = 6
	nonceLength = 8
)

// Name is the structured name of a token: the label a person chose, and a suffix
// that does what an idempotency key would. It reads
// "CI/CD Pipeline-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa".
type Name struct {
	Label string
	Slot  string // which entry the token is for, see [entry.Slot]
	Inc   string // incarnation of that entry
	Gen   int    // generation that the token was minted for
	Nonce string // this attempt
}

var namePattern = regexp.MustCompile(`(?s)^(.*)-ps1-([a-z2-7]{12})-([a-z2-7]{6})-([1-9][0-9]{0,9})-([a-z2-7]{8})$`)

// lower is base32 in lower case without padding: safe in names, URLs and shells.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String returns the token name. A label is cut if the whole would pass
// [MaxNameLength].
func (n Name) String() string {
	suffix := fmt.Sprintf("-ps1-%s-%s-%d-%s", n.Slot, n.Inc, n.Gen, n.Nonce)
	label := []rune(n.Label)
	if room := MaxNameLength - len(suffix); len(label) > room {
		label = label[:room]
	}
	return string(label) + suffix
}

// ParseName reads a name that [Name.String] made. Any other name, a hand-made
// one above all, is reported as false.
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

// runPattern matches the names of tokens that live for one run of Terraform.
var runPattern = regexp.MustCompile(`(?s)^(.*)-run-([a-z2-7]{16})$`)

// RunName names a token for one run of Terraform, which no entry serves. random has 16
// characters, a to z and 2 to 7.
func RunName(label, random string) string { return label + "-run-" + random }

// IsRunName reports whether [RunName] made a name.
func IsRunName(name string) bool { return runPattern.MatchString(name) }

// Label returns what a person calls a token: its name without the suffix of a rotation.
func Label(tokenName string) string {
	if name, ok := ParseName(tokenName); ok {
		return name.Label
	}
	return tokenName
}

// newNonce returns length characters of randomness, 5 bits each.
func newNonce(random io.Reader, length int) (string, error) {
	raw := make([]byte, (length*5+7)/8)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return lower.EncodeToString(raw)[:length], nil
}
