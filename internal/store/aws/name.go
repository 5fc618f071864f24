package aws

import (
	"errors"
	"fmt"
	"regexp"
)

// foreignToNames are the characters that the name of a secret cannot have.
var foreignToNames = regexp.MustCompile(`[^A-Za-z0-9/_+=.@-]`)

// region has the shape of all names in the list of endpoints: a partition's prefix, words,
// and a number. Which regions there are is AWS's business.
var region = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// CheckRegion returns what is wrong with the name of a region.
func CheckRegion(name string) error {
	if !region.MatchString(name) {
		return fmt.Errorf(`%q is not a region such as "eu-central-1"`, name)
	}
	return nil
}

// CheckName returns what is wrong with the name of a secret, by the description of Name in
// the API reference of CreateSecret. The length is not part of the pattern: a repetition of
// that size takes longer to compile than the rest of a program to start.
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
