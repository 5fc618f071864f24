package sandbox

import (
	"crypto/sha256"
	"hash/crc32"
	"io"
	"regexp"
)

// A sandbox secret consists of a prefix, 30 random base62 digits (178 bits) and 6 base62
// digits of the CRC-32 of the preceding text, the format that secret scanners recommend.
// "sbx" in the prefix marks it as worthless outside a sandbox.
const (
	secretPrefix   = "pstk_sbx_"
	secretDigits   = 30
	checksumDigits = 6
	idPrefix       = "tok_"
	idDigits       = 20
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

type digest = [sha256.Size]byte

func newID(random io.Reader) string { return idPrefix + randomBase62(random, idDigits) }

func newSecret(random io.Reader) string {
	body := secretPrefix + randomBase62(random, secretDigits)
	return body + checksum(body)
}

// checksum returns the CRC-32 (IEEE) of s as six base62 digits.
func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	digits := make([]byte, checksumDigits)
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return string(digits)
}

// randomBase62 returns n uniformly distributed digits. It rejects bytes past the last
// multiple of 62, because the remainder would favor the first digits.
func randomBase62(random io.Reader, n int) string {
	const limit = 256 - 256%62
	out := make([]byte, 0, n)
	var pool [64]byte
	for len(out) < n {
		if _, err := io.ReadFull(random, pool[:]); err != nil {
			panic("sandbox: reading randomness: " + err.Error()) // crypto/rand never fails
		}
		for _, b := range pool {
			if int(b) < limit && len(out) < n {
				out = append(out, base62[int(b)%62])
			}
		}
	}
	return string(out)
}

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

// scrubber redacts sandbox secrets in text that is stored.
type scrubber struct{ pattern *regexp.Regexp }

func newScrubber() scrubber {
	return scrubber{regexp.MustCompile(`(?i)` + secretPrefix + `[0-9A-Za-z]*`)}
}

func (s scrubber) clean(text string) string {
	return s.pattern.ReplaceAllLiteralString(text, "[redacted]")
}
