package paistrike_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

const canary = "pstk_sbx_CanaryThatMustNeverBeSeen0123456789"

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	value := secret.New(canary)
	minted := paistrike.Minted{Token: paistrike.Token{ID: "tok_1"}, Secret: value}
	client, err := paistrike.New(paistrike.Config{
		Endpoint: "https://paistrike.example.com", Token: value, Headers: map[string]string{"X-Proxy-Key": canary},
	})
	mustNot(t, err)
	hidden := struct{ inner secret.Secret }{value} // fmt cannot call its methods
	values := map[string]any{
		"secret": value, "pointer": &value, "minted": minted, "minted pointer": &minted, "slice": []secret.Secret{value},
		"map": map[string]secret.Secret{"k": value}, "unexported field": hidden, "pointer to it": &hidden,
		"nested": struct{ m any }{minted}, "client": client, "client value": *client,
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%-50s", "%.3s", "%08d", "% x"} {
			expectNoCanary(t, name+" as "+verb, fmt.Sprintf(verb, value))
		}
		expectNoCanary(t, name+" by Sprint", fmt.Sprint(value))
		expectNoCanary(t, name+" in an error", fmt.Errorf("storing %v: %w", value, errors.New("no")).Error())
		encoded, err := json.Marshal(value)
		mustNot(t, err)
		expectNoCanary(t, name+" as JSON", string(encoded))

		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
		mustNot(t, template.Must(template.New("").Parse("{{.}} {{printf `%#v` .}}")).Execute(&out, value))
		expectNoCanary(t, name+" logged", out.String())
	}
	text, err := xml.Marshal(value)
	mustNot(t, err)
	expectNoCanary(t, "xml", string(text))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%08.3f"} {
		if got := fmt.Sprintf(verb, value); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := fmt.Sprintf("%+v", minted); !strings.Contains(got, "[redacted]") || !strings.Contains(got, "tok_1") {
		t.Errorf("a minted token prints as %s", got)
	}
}

func TestSecretIsComparedByValue(t *testing.T) {
	t.Parallel()
	one, same, other := secret.New("one"), secret.New("o"+"ne"), secret.New("other")
	if one != same || one == other || !one.Equal(same) || one.Equal(other) || !cmp.Equal(one, same) || cmp.Equal(one, other) {
		t.Error("secrets do not compare by value")
	}
	if !secret.New("").IsZero() || secret.New("") != (secret.Secret{}) || one.IsZero() {
		t.Error("an empty secret is not the zero secret")
	}
	if one.Reveal() != "one" || (secret.Secret{}).Reveal() != "" {
		t.Error("a secret does not reveal its value")
	}
}

// expectNoCanary fails the test if the text contains the canary or a longer part of it.
func expectNoCanary(t *testing.T, where, text string) {
	t.Helper()
	hexed := fmt.Sprintf("%x", canary)
	for i := 0; i+8 <= len(canary); i++ {
		if strings.Contains(text, canary[i:i+8]) {
			t.Errorf("%s shows the secret: %s", where, text)
			return
		}
	}
	if strings.Contains(strings.ToLower(strings.ReplaceAll(text, " ", "")), hexed) {
		t.Errorf("%s shows the secret in hex: %s", where, text)
	}
}
