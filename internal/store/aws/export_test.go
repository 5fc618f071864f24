package aws

import "regexp"

// Internals for the tests of the package.
var (
	EncodeTags = encodeTags
	DecodeTags = decodeTags
)

// FitsTag implements AWS's rule for the characters of a tag.
func FitsTag(text string) bool {
	return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`).MatchString(text)
}

// EnvironmentWith is [Environment] with a different AWS CLI.
func EnvironmentWith(getenv func(string) string, command string) Load {
	return environment{getenv: getenv, command: command}.load
}
