package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// "If a version with this value already exists and that version's SecretString or
// SecretBinary values are the same as those in the request then the request is
// ignored. The operation is idempotent. If … different … the request fails because
// you can't modify a secret version".
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

// "You must provide a ClientRequestToken value", and a value of exactly one type.
func TestWhatAPutNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	token := *id("2")
	for body, want := range map[string]string{
		`{"SecretId":"a","SecretString":"x"}`:                                                            invalidRequest,
		`{"SecretId":"a","ClientRequestToken":"` + token + `"}`:                                          invalidRequest,
		`{"SecretId":"a","ClientRequestToken":"` + token + `","SecretString":""}`:                        invalidParameter,
		`{"SecretId":"a","ClientRequestToken":"` + token + `","SecretString":"x","SecretBinary":"eA=="}`: invalidParameter,
		`{"SecretId":"a","ClientRequestToken":"short","SecretString":"x"}`:                               validation,
		`{"SecretId":"a","ClientRequestToken":"` + token + `","SecretString":"x","VersionStages":[]}`:    validation,
		`{"SecretId":"a","ClientRequestToken":"` + token + `","SecretString":"x","VersionStages":[""]}`:  validation,
		`{"ClientRequestToken":"` + token + `","SecretString":"x"}`:                                      validation,
		`{"SecretId":"a","ClientRequestToken":"` + token + `","SecretString":7}`:                         serialization,
		`{"SecretId":"a",`: serialization,
		`{"SecretId":"b","ClientRequestToken":"` + token + `","SecretString":"x"}`: notFound,
	} {
		status, answer := w.raw("PutSecretValue", body)
		if answer["__type"] != want || status != 400 {
			t.Errorf("%s: %d %v, want %s", body, status, answer, want)
		}
	}
	if got := w.stagesOf(t.Context(), "a"); len(got) != 1 {
		t.Errorf("versions %v", got)
	}
	if status, answer := w.raw("CreateSecret", `{"Name":"b","SecretString":"x"}`); answer["__type"] != invalidRequest {
		t.Errorf("create without a token: %d %v", status, answer)
	}
	if status, _ := w.raw("CreateSecret", `{"Name":"b"}`); status != 200 {
		t.Errorf("create without a value: %d", status)
	}
}

// "Secret value size: 65,536 bytes": the limit applies to bytes, not characters.
func TestSizeOfAValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	if err := w.put("a", "2", strings.Repeat("x", 65536)); err != nil {
		t.Errorf("65536 bytes: %v", err)
	}
	if got := refusal(w.put("a", "3", strings.Repeat("x", 65537))); got != validation {
		t.Errorf("65537 bytes: %q", got)
	}
	if got := refusal(w.put("a", "3", strings.Repeat("ü", 32769))); got != invalidParameter {
		t.Errorf("32769 characters of two bytes: %q", got)
	}
}

// "Secrets Manager removes outdated versions when there are more than 100, but it does not remove
// versions created less than 24 hours ago." Outdated versions are those without a label.
func TestOldVersionsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	if err := w.put("a", "2", "kept", "KEEP"); err != nil {
		t.Fatal(err)
	}
	for n := range 98 {
		if err := w.put("a", fmt.Sprint(n+3), "v"); err != nil {
			t.Fatal(err)
		}
	}
	if got := refusal(w.put("a", "101", "v")); got != limitExceeded {
		t.Errorf("version 101 of a day: %q", got)
	}
	w.advance(24*time.Hour - time.Second)
	if got := refusal(w.put("a", "101", "v")); got != limitExceeded {
		t.Errorf("a second before a day is over: %q", got)
	}
	w.advance(time.Second)
	if err := w.put("a", "101", "v"); err != nil {
		t.Fatal(err)
	}
	read := func(version string) string {
		_, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: id(version)})
		return refusal(err)
	}
	for version, want := range map[string]string{"1": notFound, "2": "", "3": "", "100": "", "101": ""} {
		if got := read(version); got != want {
			t.Errorf("version %s: %q, want %q", version, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	out, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("empty")})
	if must(t, out, err).VersionId != nil {
		t.Error("a secret without a value has a version")
	}
	w.create("a")
	if err := w.put("a", "2", "two"); err != nil {
		t.Fatal(err)
	}
	if err := w.put("a", "3", "three"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		secret         string
		version, stage *string
		want           string
	}{
		{"a", nil, nil, "three"}, // "If you don't specify either …, Secrets Manager returns the AWSCURRENT version"
		{"a", nil, aws.String(previous), "two"},
		{"a", id("2"), aws.String(previous), "two"},
		{"a", id("1"), nil, "one"}, // has no label but still exists
		{"a", id("2"), aws.String(current), invalidRequest},
		{"a", id("9"), nil, notFound},
		{"a", nil, aws.String("MINE"), notFound},
		{"empty", nil, nil, notFound},
		{"none", nil, nil, notFound},
	} {
		out, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: &c.secret, VersionId: c.version, VersionStage: c.stage})
		got := refusal(err)
		if err == nil {
			got = *out.SecretString
		}
		if got != c.want {
			t.Errorf("%s %v %v: %q, want %q", c.secret, aws.ToString(c.version), aws.ToString(c.stage), got, c.want)
		}
	}
	for deprecated, want := range map[bool]int{false: 2, true: 3} {
		out, err := w.client().ListSecretVersionIds(t.Context(), &sm.ListSecretVersionIdsInput{SecretId: aws.String("a"), IncludeDeprecated: &deprecated})
		if got := len(must(t, out, err).Versions); got != want {
			t.Errorf("IncludeDeprecated %v: %d versions, want %d", deprecated, got, want)
		}
	}
}

func TestBytesStayBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	_, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("b"), SecretBinary: []byte{0, 1, 0xff}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.client().GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("b")})
	if got := must(t, out, err); !bytes.Equal(got.SecretBinary, []byte{0, 1, 0xff}) || got.SecretString != nil {
		t.Errorf("read %v %v", got.SecretBinary, got.SecretString)
	}
}

// Each secret in a batch call is read or rejected independently.
func TestReadMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	w.create("b")
	out, err := w.client().BatchGetSecretValue(t.Context(), &sm.BatchGetSecretValueInput{SecretIdList: []string{"a", "none", "b"}})
	got := must(t, out, err)
	if len(got.SecretValues) != 2 || len(got.Errors) != 1 || *got.Errors[0].ErrorCode != notFound || *got.Errors[0].SecretId != "none" {
		t.Errorf("%d values, errors %v", len(got.SecretValues), got.Errors)
	}
	var read []string
	for all := sm.NewBatchGetSecretValuePaginator(w.client(), &sm.BatchGetSecretValueInput{
		Filters: []types.Filter{where("name", "a", "b")}, MaxResults: aws.Int32(1),
	}); all.HasMorePages(); {
		page, err := all.NextPage(t.Context())
		for _, value := range must(t, page, err).SecretValues {
			read = append(read, *value.Name)
		}
	}
	if slices.Sort(read); !slices.Equal(read, []string{"a", "b"}) {
		t.Errorf("by a filter: %v", read)
	}
	// "you must have secretsmanager:GetSecretValue for each secret. If you use filters,
	// you must also have secretsmanager:ListSecrets."
	u := limitedUser(t, `{"Effect":"Allow","Action":"secretsmanager:BatchGetSecretValue","Resource":"*"}`)
	if err := w.identities.add(iamConfig{Users: []user{u}}); err != nil {
		t.Fatal(err)
	}
	out, err = w.client(as(u)).BatchGetSecretValue(t.Context(), &sm.BatchGetSecretValueInput{SecretIdList: []string{"a"}})
	if got := must(t, out, err); len(got.SecretValues) != 0 || *got.Errors[0].ErrorCode != accessDenied {
		t.Errorf("without the right to read: %+v", got)
	}
	_, err = w.client(as(u)).BatchGetSecretValue(t.Context(), &sm.BatchGetSecretValueInput{Filters: []types.Filter{where("name", "a")}})
	if got := refusal(err); got != accessDenied {
		t.Errorf("without the right to list: %q", got)
	}
	_, err = w.client().BatchGetSecretValue(t.Context(), &sm.BatchGetSecretValueInput{})
	if got := refusal(err); got != invalidParameter {
		t.Errorf("neither ids nor filters: %q", got)
	}
}
