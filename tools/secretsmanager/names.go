package main

import (
	"crypto/rand"
	"regexp"
	"strings"
)

// nameRule is AWS's set: "The secret name can contain ASCII letters, numbers, and
// the following characters: /_+=.@-". The service also takes "!", which names that
// belong to other services have.
var nameRule = regexp.MustCompile(`^[a-zA-Z0-9/_+=.@!-]+$`)

// fullName is a name in an ARN with its ending: "Secrets Manager automatically adds
// a hyphen and six random characters after the secret name at the end of the ARN".
var fullName = regexp.MustCompile(`-[a-zA-Z0-9]{6}$`)

func checkName(name string) error {
	if !nameRule.MatchString(name) {
		return refuse(validation, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

// place is where secrets live.
type place struct {
	account string // twelve digits
	region  string // such as eu-central-1
}

// arn returns the ARN of a secret of that name, without the ending.
func (p place) arn(name string) string {
	return "arn:aws:secretsmanager:" + p.region + ":" + p.account + ":secret:" + name
}

// wanted is what a SecretId asks for. Either the whole ARN is given, or a name is:
// on its own, or in an ARN without its ending.
type wanted struct {
	arn  string
	name string
}

// want reads a SecretId. AWS advises against names that end in a hyphen and six
// characters because such a name in an ARN without an ending reads as a whole ARN.
func (p place) want(id string) (wanted, error) {
	if !strings.HasPrefix(id, "arn:") {
		return wanted{name: id}, checkName(id)
	}
	name, ok := strings.CutPrefix(id, p.arn(""))
	switch {
	case !ok: // elsewhere
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
