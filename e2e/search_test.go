package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// spellings returns the ways in which a text with the secret may be encoded: plain, as in a
// URL, as in JSON.
func spellings(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for _, escapeHTML := range []bool{true, false} {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(escapeHTML)
		if encoder.Encode(secret) == nil {
			text := strings.TrimSpace(b.String())
			all = append(all, text[1:len(text)-1])
		}
	}
	return all
}

// inBase64 returns the digits that every base64 encoding containing text has in common. Three
// bytes are four digits, so they depend on the number of preceding bytes modulo three; the
// digits at both ends depend on adjacent bytes.
func inBase64(text string) []string {
	var all []string
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + text
		first, end := (shift*8+5)/6, len(padded)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString([]byte(padded))[first:end])
		}
	}
	return all
}

// needles returns every form of a secret to search for. Half a secret is a leak too, so both
// halves are included.
func needles(secret string) []string {
	var all []string
	for _, part := range []string{secret, secret[:len(secret)/2], secret[len(secret)/2:]} {
		for _, text := range spellings(part) {
			all = append(all, text)
			all = append(all, inBase64(text)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// evidence is the output and the files of programs, by location.
type evidence map[string]string

// add records a text. A saved plan is a ZIP archive; its parts are recorded as well.
func (e evidence) add(t *testing.T, where, text string) {
	t.Helper()
	e[where] = text
	if !strings.HasPrefix(text, "PK\x03\x04") {
		return
	}
	archive, err := zip.NewReader(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.File {
		part, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		e.add(t, where+" / "+file.Name, string(raw))
	}
}

// addFiles records every file of a directory.
func (e evidence) addFiles(t *testing.T, label, dir string) {
	t.Helper()
	files := os.DirFS(dir)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if name != traceLog { // it only grows, so one copy suffices
			name = label + ": " + name
		}
		e.add(t, name, string(raw))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leaks returns the locations that contain any form of any of the secrets.
func (e evidence) leaks(secrets []string) []string {
	var all, found []string
	for _, secret := range secrets {
		all = append(all, needles(secret)...)
	}
	for where, text := range e {
		if slices.ContainsFunc(all, func(needle string) bool { return strings.Contains(text, needle) }) {
			found = append(found, where)
		}
	}
	slices.Sort(found)
	return found
}

// searchAll fails the test if a secret is found. It does not print the secret.
func (e evidence) searchAll(t *testing.T, secrets []string) {
	t.Helper()
	size := 0
	for _, text := range e {
		size += len(text)
	}
	for _, where := range e.leaks(secrets) {
		t.Errorf("a secret is in: %s", where)
	}
	t.Logf("searched %d texts, %d KiB, for %d secrets", len(e), size>>10, len(secrets))
}

// The search finds a secret in every form, so that its negative results mean something.
func TestSearchFindsASecretInEveryForm(t *testing.T) {
	t.Parallel()
	secret := "pstk_sbx_0123456789abcdefghijABCDEFGHIJ123456" + marks
	quoted, err := json.Marshal("token " + secret + " end")
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]string{
		"raw":                "x" + secret + "y",
		"first half":         "token " + secret[:30] + "...",
		"second half":        "..." + secret[20:],
		"URL query":          "https://host/?t=" + url.QueryEscape(secret) + "&x=y",
		"URL path":           "https://host/" + url.PathEscape(secret) + "/x",
		"JSON":               string(quoted),
		"JSON without HTML":  `{"t":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret) + `"}`,
		"base64 of the JSON": base64.StdEncoding.EncodeToString(quoted),
		"plan archive":       archived(t, "tfstate", "some state with "+secret),
	}
	for shift := range 3 {
		text := []byte("abc"[:shift] + secret + "tail"[:shift])
		for name, encoding := range map[string]*base64.Encoding{
			"std": base64.StdEncoding, "raw std": base64.RawStdEncoding, "URL": base64.URLEncoding, "raw URL": base64.RawURLEncoding,
		} {
			planted["base64 "+name+" shift "+string(rune('0'+shift))] = "(" + encoding.EncodeToString(text) + ")"
		}
	}
	for name, text := range planted {
		e := evidence{}
		e.add(t, name, text)
		if len(e.leaks([]string{secret})) == 0 {
			t.Errorf("%s: not found", name)
		}
		if found := e.leaks([]string{strings.Map(func(r rune) rune { return r ^ 1 }, secret)}); len(found) > 0 {
			t.Errorf("%s: another secret is found in %v", name, found)
		}
	}
}

func archived(t *testing.T, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	part, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
