package aws

import (
	"errors"
	"fmt"
	"regexp"
)

// foreignToNames matches a character that a secret's name cannot contain.
var foreignToNames = regexp.MustCompile(`[^A-Za-z0-9/_+=.@-]`)

// region matches the form of all names in the list of endpoints: a partition's prefix,
// words, and a number. Whether the region exists is left to AWS.
var region = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// CheckRegion returns an error if the name does not have the form of a region.
func CheckRegion(name string) error {
	if !region.MatchString(name) {
		return fmt.Errorf(`%q is not a region such as "eu-central-1"`, name)
	}
	return nil
}

// CheckName returns an error if AWS does not accept the name of a secret, as described for
// Name in the API reference of CreateSecret. The length is not part of the pattern:
// compiling a repetition of that size takes longer than the rest of a program's start.
func CheckName(name string) error {
	switch wrong := foreignToNames.FindString(name); {
	case name == "":
		return errors.New("the name is empty")
	case wrong != "":
		return fmt.Errorf("%q holds %q: AWS allows letters, numbers and /_+=.@- in the name of a secret", name, wrong)
	case len(name) > 512:
		return fmt.Errorf("the name has %d characters, and AWS allows 512", len(name))
	}
	return nil
}
