package aws

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// maxTagValue is AWS's limit for the value of a tag, in characters.
const maxTagValue = 256

// encodeTags lays metadata out as tags. A tag holds letters, numbers, spaces and a few
// signs; every other byte is written as in quoted-printable, "=2A" for "*". A value that
// is too long goes on in a tag of its own, and says so by a final "=", so that a
// continuation which an earlier value left behind is not read. Empty values are written
// too: a tag stays until it is overwritten.
func encodeTags(metadata map[string]string) []types.Tag {
	var tags []types.Tag
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		for i, part := range split(escape(metadata[key])) {
			tags = append(tags, types.Tag{Key: sdk.String(continuation(key, i)), Value: sdk.String(part)})
		}
	}
	return tags
}

// decodeTags reads what encodeTags wrote. Tags of others pass unchanged if they can be
// read at all.
func decodeTags(tags map[string]string) map[string]string {
	metadata := make(map[string]string, len(tags))
	for key, value := range tags {
		whole := value
		for i := 1; strings.HasSuffix(whole, "="); i++ {
			part, ok := tags[continuation(key, i)]
			if !ok {
				break
			}
			whole = strings.TrimSuffix(whole, "=") + part
		}
		metadata[key] = unescape(whole)
	}
	return metadata
}

// continuation names the i-th part of a value, from 0.
func continuation(key string, i int) string {
	if i == 0 {
		return key
	}
	return key + "." + strconv.Itoa(i+1)
}

// escape writes a text with the characters that a tag may hold. A first "aws:" is
// reserved there.
func escape(text string) string {
	var b strings.Builder
	for i, c := range text {
		plain := unicode.IsLetter(c) || unicode.IsNumber(c) || c == ' ' || strings.ContainsRune("+-._:/@", c)
		if !plain || c == utf8.RuneError || i == 0 && strings.HasPrefix(strings.ToLower(text), "aws:") {
			for _, octet := range []byte(string(c)) {
				fmt.Fprintf(&b, "=%02X", octet)
			}
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// unescape reads what escape wrote; what it did not write stays as it is.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '=' && i+2 < len(text) {
			if octet, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(octet))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// split cuts an escaped text into values of tags, never inside of an escape.
func split(text string) []string {
	var parts []string
	rest := []rune(text)
	for len(rest) > maxTagValue {
		cut := maxTagValue - 1
		if at := slices.Index(rest[cut-2:cut], '='); at >= 0 {
			cut += at - 2
		}
		parts = append(parts, string(rest[:cut])+"=")
		rest = rest[cut:]
	}
	return append(parts, string(rest))
}
