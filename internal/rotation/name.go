package rotation

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
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

	slotLength  = 12
	incLength   = 6
	nonceLength = 8
)

// Name is the structured name of a token: the label a person chose, and a suffix
// that does what an idempotency key would. It reads
// "CI/CD Pipeline-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa".
type Name struct {
	Label string
	Slot  string // which Vault entry the token is for, see [Slot]
	Inc   string // incarnation of that entry
	Base  int    // KV version that was current when the token was minted
	Nonce string // this attempt
}

var namePattern = regexp.MustCompile(`(?s)^(.*)-ps1-([a-z2-7]{12})-([a-z2-7]{6})-(0|[1-9][0-9]{0,9})-([a-z2-7]{8})$`)

// lower is base32 in lower case without padding: safe in names, URLs and shells.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String gives the token name. A label is cut where the whole would pass
// [MaxNameLength].
func (n Name) String() string {
	suffix := fmt.Sprintf("-ps1-%s-%s-%d-%s", n.Slot, n.Inc, n.Base, n.Nonce)
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
	base, err := strconv.Atoi(groups[4])
	if err != nil {
		return Name{}, false
	}
	return Name{Label: groups[1], Slot: groups[2], Inc: groups[3], Base: base, Nonce: groups[5]}, true
}

// Slot identifies one Vault entry. The mount's uuid, not Vault's address, keeps
// two Vaults with equal paths apart, so that they can share a PAIStrike account
// without sweeping each other's tokens.
func Slot(mountUUID, namespace, path string) string {
	hash := sha256.New()
	for _, part := range []string{mountUUID, namespace, path} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return lower.EncodeToString(hash.Sum(nil))[:slotLength]
}

// newNonce gives length characters of randomness, 5 bits each.
func newNonce(random io.Reader, length int) (string, error) {
	raw := make([]byte, (length*5+7)/8)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return lower.EncodeToString(raw)[:length], nil
}
