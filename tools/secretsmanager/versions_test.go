package main

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// "If a version with this value already exists and that version's SecretString or
// SecretBinary values are the same as those in the request then the request is
// ignored. The operation is idempotent. If … different … the request fails because
// you can't modify a secret version."
func TestATokenIsOneVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	if err := w.put("a", "2", "two", "MINE"); err != nil {
		t.Fatal(err)
	}
	if err := w.put("a", "2", "two"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if got, want := w.stagesOf(t.Context(), "a"), map[string]string{"1": "AWSCURRENT", "2": "MINE"}; !maps.Equal(got, want) {
		t.Errorf("a request that is ignored moved labels: %v", got)
	}
	if got := refusal(w.put("a", "2", "other")); got != resourceExists {
		t.Errorf("another value: %q", got)
	}
	_, err := w.client().UpdateSecret(t.Context(), &sm.UpdateSecretInput{SecretId: aws.String("a"), ClientRequestToken: id("2"), SecretString: aws.String("two")})
	// "If you call this operation with a ClientRequestToken that matches an existing
	// version's VersionId, the operation results in an error."
	if got := refusal(err); got != resourceExists {
		t.Errorf("update with the token of a version: %q", got)
	}
	read, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: id("2")})
	if got := *must(t, read, err).SecretString; got != "two" {
		t.Errorf("read %q", got)
	}
}
