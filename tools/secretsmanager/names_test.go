package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// "The secret name can contain ASCII letters, numbers, and the following characters:
// /_+=.@-", 1 to 512 of them.
func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for name, want := range map[string]string{
		"a": "", "ci/paistrike_+=.@-Z9": "", strings.Repeat("n", 512): "",
		"with space": validation, "ümlaut": validation, "a*": validation, "a:b": validation, "": validation,
		strings.Repeat("n", 513): validation,
	} {
		_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: &name})
		if got := refusal(err); got != want {
			t.Errorf("%.20q: %q, want %q", name, got, want)
		}
	}
}

// "Secrets Manager automatically adds a hyphen and six random characters after the secret
// name at the end of the ARN", so a recreated secret has a different ARN.
func TestARNs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	first := *w.create("ci/a").ARN
	plain := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ci/a"
	if rest, ok := strings.CutPrefix(first, plain); !ok || !fullName.MatchString(rest) || len(rest) != 7 {
		t.Errorf("ARN %s", first)
	}
	_, err := w.client().DeleteSecret(t.Context(), &sm.DeleteSecretInput{SecretId: aws.String("ci/a"), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	second := *w.create("ci/a").ARN
	if second == first {
		t.Errorf("the new secret has the old ARN %s", second)
	}
	w.create("ci/a-a1b2c3")
	for id, want := range map[string]string{
		"ci/a": second, plain: second, second: second, // by name, and by an ARN without and with the suffix
		first: notFound, "ci/A": notFound, "ci": notFound, plain + "x": notFound,
		strings.Replace(second, "eu-central-1", "us-east-1", 1):    notFound,
		strings.Replace(second, "123456789012", "210987654321", 1): notFound,
		// "Do not end your secret name with a hyphen followed by six characters. If you do
		// so, you risk confusion and unexpected results when searching for a secret by
		// partial ARN."
		plain + "-a1b2c3": notFound,
		"no name":         validation,
	} {
		out, err := w.client().DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: &id})
		got := refusal(err)
		if err == nil {
			got = *out.ARN
		}
		if got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// "You may operate multiple regions in your account": a secret belongs to one region.
func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	elsewhere := w.client(func(o *sm.Options) { o.Region = "us-east-1" })
	_, err := elsewhere.DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: aws.String("a")})
	if got := refusal(err); got != notFound {
		t.Errorf("the secret of another region: %q", got)
	}
	out, err := elsewhere.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("a")})
	if arn := *must(t, out, err).ARN; !strings.Contains(arn, ":us-east-1:") {
		t.Errorf("ARN %s", arn)
	}
}
