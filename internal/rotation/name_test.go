package rotation_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

func TestNameText(t *testing.T) {
	t.Parallel()
	const suffix = "-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa"
	for _, tt := range []struct{ label, want string }{
		{"CI/CD Pipeline", "CI/CD Pipeline" + suffix},
		{"", suffix},
		{"a-ps1-b", "a-ps1-b" + suffix},
		{strings.Repeat("x", 64), strings.Repeat("x", 64) + suffix}, // 36 for the suffix
		{strings.Repeat("x", 65), strings.Repeat("x", 64) + suffix},
		{strings.Repeat("😀", 99), strings.Repeat("😀", 64) + suffix},
	} {
		name := rotation.Name{Label: tt.label, Slot: "k3v7q2m6xtab", Inc: "7h2k5q", Gen: 12, Nonce: "w5c2m4pa"}
		if got := name.String(); got != tt.want {
			t.Errorf("label %q makes %q, want %q", tt.label, got, tt.want)
		}
	}
}

// names returns every name that a run can create, with labels that look like names
// themselves.
func names() *rapid.Generator[rotation.Name] {
	lower := func(n int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz234567")), n, n, -1)
	}
	words := rapid.SampledFrom([]string{"-ps1-", "-", "ps1", "k3v7q2m6xtab", "-7h2k5q-12-w5c2m4pa", "-ps1-aaaaaaaaaaaa-bbbbbb-1-cccccccc", "CI/CD Pipeline", "😀", "é", "\n", "名"})
	label := rapid.OneOf(
		rapid.StringN(1, rotation.MaxLabelLength, -1),
		rapid.Map(rapid.SliceOfN(words, 1, 6), func(parts []string) string {
			label := []rune(strings.Join(parts, ""))
			return string(label[:min(len(label), rotation.MaxLabelLength)])
		}),
	)
	return rapid.Custom(func(t *rapid.T) rotation.Name {
		return rotation.Name{
			Label: label.Draw(t, "label"), Slot: lower(12).Draw(t, "slot"), Inc: lower(6).Draw(t, "inc"),
			Gen: rapid.IntRange(1, 999_999).Draw(t, "gen"), Nonce: lower(8).Draw(t, "nonce"),
		}
	})
}

func TestNameRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := names().Draw(t, "name")
		text := want.String()
		if n := utf8.RuneCountInString(text); n > rotation.MaxNameLength {
			t.Fatalf("%q has %d code points", text, n)
		}
		if got, ok := rotation.ParseName(text); !ok || got != want {
			t.Fatalf("%q is read as %+v, %t, want %+v", text, got, ok, want)
		}
	})
}

// If the generation has very many digits, the label is truncated and the rest stays
// readable.
func TestNameWithALongVersion(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("é", rotation.MaxLabelLength)
	name := rotation.Name{Label: label, Slot: "k3v7q2m6xtab", Inc: "7h2k5q", Gen: 1_234_567_890, Nonce: "w5c2m4pa"}
	text := name.String()
	if n := utf8.RuneCountInString(text); n != rotation.MaxNameLength {
		t.Errorf("%q has %d code points, want %d", text, n, rotation.MaxNameLength)
	}
	got, ok := rotation.ParseName(text)
	name.Label = strings.Repeat("é", 56)
	if !ok || got != name {
		t.Errorf("read as %+v, %t, want %+v", got, ok, name)
	}
}

func TestParseNameRefusesHandMadeNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"",
		"CI/CD Pipeline",
		"my-ps1-token",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12",
		"CI-ps1-k3v7q2m6xtab-7h2k5q--w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa ",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa\n",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa-2",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-012-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5q--1-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-+1-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12345678901-w5c2m4pa",
		"CI-ps1-K3V7Q2M6XTAB-7h2k5q-12-w5c2m4pa",
		"CI-ps1-k3v7q2m6xta-7h2k5q-12-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtabc-7h2k5q-12-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5-12-w5c2m4pa",
		"CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4p1", // base32 has no 1
		"CI-ps2-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa",
		"CI-PS1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa",
		"CI ps1 k3v7q2m6xtab 7h2k5q 12 w5c2m4pa",
		"\xff-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa",
	} {
		if got, ok := rotation.ParseName(name); ok {
			t.Errorf("%q is taken for ours: %+v", name, got)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa", "-ps1-aaaaaaaaaaaa-bbbbbb-1-cccccccc-ps1-aaaaaaaaaaaa-bbbbbb-1-cccccccc", "my token", "\xff-ps1-", "CI-ps1-k3v7q2m6xtab-7h2k5q-9999999999-w5c2m4pa"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, ok := rotation.ParseName(text)
		if !ok {
			return
		}
		if utf8.RuneCountInString(text) <= rotation.MaxNameLength && name.String() != text {
			t.Fatalf("%q is read as %+v, and that is written %q", text, name, name)
		}
		if again, ok := rotation.ParseName(name.String()); !ok || again.Slot != name.Slot || again.Gen != name.Gen || !strings.HasPrefix(name.Label, again.Label) {
			t.Fatalf("%+v is read as %+v, %t", name, again, ok)
		}
	})
}
