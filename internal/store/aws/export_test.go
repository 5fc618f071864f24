package aws

import "regexp"

// What the tests of the package look at from outside.
var (
	EncodeTags = encodeTags
	DecodeTags = decodeTags
)

// FitsTag repeats AWS's rule for the characters of a tag.
func FitsTag(text string) bool {
	return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`).MatchString(text)
}

// EnvironmentWith is [Environment] with another AWS command line.
func EnvironmentWith(getenv func(string) string, command string) Load {
	return environment{getenv: getenv, command: command}.load
}
