package main

import (
	"crypto/rand"
	"regexp"
	"strings"
)

// nameRule is AWS's character set: "The secret name can contain ASCII letters, numbers, and
// the following characters: /_+=.@-". The service also accepts "!", which names owned by
// other services contain.
var nameRule = regexp.MustCompile(`^[a-zA-Z0-9/_+=.@!-]+$`)

// fullName matches a name with the suffix of an ARN: "Secrets Manager automatically adds a
// hyphen and six random characters after the secret name at the end of the ARN".
var fullName = regexp.MustCompile(`-[a-zA-Z0-9]{6}$`)

func checkName(name string) error {
	if !nameRule.MatchString(name) {
		return refuse(validation, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

// place is an account and a region.
type place struct {
	account string // 12 digits
	region  string // such as eu-central-1
}

// arn returns the ARN of a secret with that name, without the suffix.
func (p place) arn(name string) string {
	return "arn:aws:secretsmanager:" + p.region + ":" + p.account + ":secret:" + name
}

// wanted is a parsed SecretId: a whole ARN, or a name, alone or from an ARN without the
// suffix.
type wanted struct {
	arn  string
	name string
}

// want parses a SecretId. AWS advises against names that end in a hyphen and six characters,
// because such a name in an ARN without a suffix looks like a whole ARN.
func (p place) want(id string) (wanted, error) {
	if !strings.HasPrefix(id, "arn:") {
		return wanted{name: id}, checkName(id)
	}
	name, ok := strings.CutPrefix(id, p.arn(""))
	switch {
	case !ok: // another account or region
		return wanted{arn: id}, nil
	case fullName.MatchString(name):
		return wanted{arn: id, name: name[:len(name)-7]}, nil
	}
	return wanted{name: name}, nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// randomEnding returns a hyphen and six random characters.
func randomEnding() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "-" + string(b[:])
}
