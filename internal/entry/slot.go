package entry

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
)

// SlotLength is the length of a slot, in characters.
const SlotLength = 12

// lower is base32 in lowercase without padding, which is safe in names, URLs and shells.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Slot returns a hash that identifies one entry of one store. The parts are the identity
// of the store, such as the host and port of Vault or the account and region of AWS,
// followed by what identifies the entry in it. Two stores with equal paths have different
// slots, so they can share a PAIStrike account without touching each other's tokens.
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
