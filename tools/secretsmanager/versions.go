package main

import (
	"bytes"
	"time"
)

const (
	maxVersions = 100            // "removes outdated versions when there are more than 100"
	youngest    = 24 * time.Hour // "does not remove versions created less than 24 hours ago"
	maxValue    = 65536          // maximum size of a value, in bytes
)

// value is the value of a version: text or bytes.
type value struct {
	text  *string
	bytes *[]byte
}

func (v value) given() bool { return v.text != nil || v.bytes != nil }

func (v value) equal(other value) bool {
	return (v.text == nil) == (other.text == nil) && (v.bytes == nil) == (other.bytes == nil) &&
		(v.text == nil || *v.text == *other.text) && (v.bytes == nil || bytes.Equal(*v.bytes, *other.bytes))
}

// check rejects a value that AWS does not accept.
func (v value) check() error {
	switch {
	case v.text != nil && v.bytes != nil:
		return refuse(invalidParameter, "You can't specify both a binary secret value and a string secret value in the same secret.")
	case v.text != nil && len(*v.text) > maxValue:
		return refuse(invalidParameter, "The secret value can't be longer than %d bytes.", maxValue)
	case v.text != nil && *v.text == "", v.bytes != nil && len(*v.bytes) == 0:
		return refuse(invalidParameter, "The secret value can't be empty.")
	}
	return nil
}

// version is one value of a secret. Only its labels change.
type version struct {
	id       string
	value    value
	created  time.Time
	accessed time.Time // day of the last read; zero if never
	kmsKey   string    // "" = aws/secretsmanager
}

// keep returns the versions that remain after AWS's cleanup, oldest first: "Secrets Manager
// removes outdated versions when there are more than 100, but it does not remove versions created
// less than 24 hours ago". Outdated versions are those without a label.
func keep(versions []*version, labels stages, now time.Time) []*version {
	surplus := len(versions) - maxVersions
	var left []*version
	for _, v := range versions {
		if surplus > 0 && len(labels.of(v.id)) == 0 && now.Sub(v.created) >= youngest {
			surplus--
			continue
		}
		left = append(left, v)
	}
	return left
}
