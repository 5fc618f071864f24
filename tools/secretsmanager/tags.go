package main

import (
	"regexp"
	"slices"
	"strings"
)

// maxTags is AWS's "Maximum number of tags per secret".
const maxTags = 50

// tagRule is AWS's character set: "letters, spaces, and numbers representable in UTF-8, plus the
// following special characters: +
// - = . _ : / @".
var tagRule = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// tagSet contains the tags of a secret, in the order in which they were added. Methods do not
// modify their receiver.
type tagSet []tag

// with returns the tags with others added: "This operation appends tags to the existing list of
// tags". An existing key gets the new value.
func (s tagSet) with(added []tag) tagSet {
	after := slices.Clone(s)
	for _, t := range added {
		if i := after.index(*t.Key); i >= 0 {
			after[i] = t
		} else {
			after = append(after, t)
		}
	}
	return after
}

// without returns the tags without those keys: "If a requested tag is not attached
// to the secret, no error is returned".
func (s tagSet) without(keys []tagKey) tagSet {
	return slices.DeleteFunc(slices.Clone(s), func(t tag) bool { return slices.Contains(keys, tagKey(*t.Key)) })
}

// index returns the index of a key, or -1. "Tag keys and values are case sensitive".
func (s tagSet) index(key string) int {
	return slices.IndexFunc(s, func(t tag) bool { return *t.Key == key })
}

// checkTags rejects tags that AWS does not accept in a request.
func checkTags(added []tag) error {
	seen := map[string]bool{}
	for _, t := range added {
		if t.Key == nil {
			return refuse(invalidParameter, "You must provide a tag key.")
		}
		if t.Value == nil {
			return refuse(invalidParameter, "You must provide a value for the tag %s.", *t.Key)
		}
		if seen[*t.Key] {
			return refuse(invalidParameter, "The tag key %s is in the request more than once.", *t.Key)
		}
		seen[*t.Key] = true
		if err := checkTagText(*t.Key, *t.Value); err != nil {
			return err
		}
	}
	return nil
}

func checkTagKeys(keys []tagKey) error {
	for _, key := range keys {
		if err := checkTagText(string(key)); err != nil {
			return err
		}
	}
	return nil
}

func checkTagText(words ...string) error {
	for _, text := range words {
		if strings.HasPrefix(strings.ToLower(text), "aws:") {
			return refuse(invalidParameter, "You can't use the prefix aws: in tag names or values because AWS reserves it for its own use.")
		}
		if !tagRule.MatchString(text) {
			return refuse(invalidParameter, "Tag keys and values can only have letters, spaces, numbers and the characters + - = . _ : / @.")
		}
	}
	return nil
}

// check rejects more tags than a secret can have.
func (s tagSet) check() error {
	if len(s) > maxTags {
		return refuse(invalidParameter, "You can't attach more than %d tags to a secret.", maxTags)
	}
	return nil
}
