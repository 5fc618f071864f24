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

// encodeTags encodes metadata as tags. A tag may contain letters, numbers, spaces and a
// few special characters. Every other byte is encoded as in quoted-printable, "=2A" for
// "*". A value that is too long continues in another tag. It then ends in "=", so that a
// continuation left by an earlier value is ignored. Empty values are written too, because
// a tag remains until it is overwritten.
func encodeTags(metadata map[string]string) []types.Tag {
	var tags []types.Tag
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		for i, part := range split(escape(metadata[key])) {
			tags = append(tags, types.Tag{Key: sdk.String(continuation(key, i)), Value: sdk.String(part)})
		}
	}
	return tags
}

// decodeTags decodes what encodeTags encoded. Tags that others wrote are returned
// unchanged unless they look encoded.
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

// continuation returns the key of the i-th part of a value, counted from 0.
func continuation(key string, i int) string {
	if i == 0 {
		return key
	}
	return key + "." + strconv.Itoa(i+1)
}

// escape encodes text in the characters that a tag may contain. AWS reserves the prefix
// "aws:".
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

// unescape decodes what escape encoded and keeps everything else.
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

// split splits an escaped text into values of tags, never inside an escape.
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
