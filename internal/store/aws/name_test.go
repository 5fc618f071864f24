package aws_test

import (
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// AWS accepts names of secrets of up to 512 characters.
func TestNamesOfSecrets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"ci/paistrike": true, strings.Repeat("a", 512): true, strings.Repeat("a", 513): false, "a b": false, "ci:x": false,
	} {
		if (aws.CheckName(name) == nil) != want {
			t.Errorf("%.20q of %d characters: want %v", name, len(name), want)
		}
	}
}

func TestNamesOfRegions(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"eu-central-1": true, "us-gov-west-1": true, "us-isob-east-1": true, "eusc-de-east-1": true, "ap-southeast-10": true,
		"": false, "Frankfurt": false, "eu-central": false, "eu-central-1a": false, "EU-CENTRAL-1": false, "eu-central-1.evil.example": false,
	} {
		if (aws.CheckRegion(name) == nil) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}
