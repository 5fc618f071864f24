package entry

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
)

// SlotLength is the number of characters of a slot.
const SlotLength = 12

// lower is base32 in lower case without padding: safe in names, URLs and shells.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Slot identifies one entry of one store by what a store says it is made of: its
// identity first, such as the host and port of Vault or the account and region of AWS,
// then what names the entry there. It keeps two stores with equal paths apart, so that
// they can share a PAIStrike account without touching each other's tokens.
func Slot(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return lower.EncodeToString(hash.Sum(nil))[:SlotLength]
}
