package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// pairs returns tags for "key=value" pairs.
func pairs(list ...string) (tags []types.Tag) {
	for _, one := range list {
		key, value, _ := strings.Cut(one, "=")
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	return tags
}

func (w *world) tag(name string, tags ...types.Tag) error {
	_, err := w.client().TagResource(w.Context(), &sm.TagResourceInput{SecretId: &name, Tags: tags})
	return err
}

func (w *world) tagsOf(name string) string {
	w.Helper()
	out, err := w.client().DescribeSecret(w.Context(), &sm.DescribeSecretInput{SecretId: &name})
	var list []string
	for _, t := range must(w.T, out, err).Tags {
		list = append(list, *t.Key+"="+*t.Value)
	}
	return strings.Join(list, " ")
}

// "This operation appends tags to the existing list of tags"; "If a requested tag is
// not attached to the secret, no error is returned"; "Tag keys and values are case
// sensitive".
func TestTagsMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	if err := w.tag("a", pairs("k=1", "K=2")...); err != nil {
		t.Fatal(err)
	}
	if err := w.tag("a", pairs("k=3", "l=")...); err != nil {
		t.Fatal(err)
	}
	if got := w.tagsOf("a"); got != "k=3 K=2 l=" {
		t.Errorf("tags %q", got)
	}
	for range 2 {
		if _, err := w.client().UntagResource(t.Context(), &sm.UntagResourceInput{SecretId: aws.String("a"), TagKeys: []string{"k", "none"}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.tagsOf("a"); got != "K=2 l=" {
		t.Errorf("tags %q", got)
	}
}

// "Maximum number of tags per secret: 50"; keys have 1 to 128 and values up to 256
// characters, "letters, spaces, and numbers representable in UTF-8, plus the
// following special characters: + - = . _ : / @"; "Do not use the aws: prefix in
// your tag names or values".
func TestTagRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	long := strings.Repeat("x", 129)
	for _, c := range []struct{ key, value, want string }{
		{"ok key+-=._:/@9", "Üñí 漢 +-=._:/@", ""},
		{long[:128], strings.Repeat("v", 256), ""},
		{long, "v", validation},
		{"", "v", validation},
		{"k", strings.Repeat("v", 257), validation},
		{"k", `{"json":true}`, invalidParameter},
		{"k", "a,b", invalidParameter},
		{"k", "50%", invalidParameter},
		{"k*", "v", invalidParameter},
		{"aws:k", "v", invalidParameter},
		{"k", "AWS:v", invalidParameter},
	} {
		err := w.tag("a", types.Tag{Key: &c.key, Value: &c.value})
		if got := refusal(err); got != c.want {
			t.Errorf("%.10s=%.20s: %q, want %q", c.key, c.value, got, c.want)
		}
		_, err = w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("with-tag"), Tags: []types.Tag{{Key: &c.key, Value: &c.value}}})
		if got := refusal(err); c.want != "" && got != c.want {
			t.Errorf("create with %.10s=%.20s: %q, want %q", c.key, c.value, got, c.want)
		}
	}
	if got := refusal(w.tag("a", pairs("twice=1", "twice=2")...)); got != invalidParameter {
		t.Errorf("one key twice: %q", got)
	}
	if got := refusal(w.tag("a", types.Tag{Key: aws.String("k")})); got != invalidParameter {
		t.Errorf("no value: %q", got)
	}
	_, err := w.client().UntagResource(t.Context(), &sm.UntagResourceInput{SecretId: aws.String("a"), TagKeys: []string{"aws:k"}})
	if got := refusal(err); got != invalidParameter {
		t.Errorf("a key of AWS's own: %q", got)
	}
	var most []types.Tag
	for n := range 48 {
		most = append(most, pairs(fmt.Sprintf("k%d=v", n))...)
	}
	if err := w.tag("a", most...); err != nil {
		t.Errorf("50 tags: %v", err)
	}
	if got := refusal(w.tag("a", pairs("one=more")...)); got != invalidParameter {
		t.Errorf("51 tags: %q", got)
	}
	if err := w.tag("a", pairs("k0=other")...); err != nil {
		t.Errorf("a new value for one of 50: %v", err)
	}
}
