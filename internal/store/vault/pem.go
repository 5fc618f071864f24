package vault

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// settingError reports a certificate or key that cannot be used, so that no request was
// sent.
type settingError struct{ err error }

func (e *settingError) Error() string { return e.err.Error() }
func (e *settingError) Unwrap() error { return e.err }

func badSetting(format string, args ...any) error {
	return &settingError{fmt.Errorf("vault: "+format, args...)}
}

// isSetting reports whether a request was not sent because of a certificate or key.
func isSetting(err error) bool {
	_, ok := errors.AsType[*settingError](err)
	return ok
}

// block matches one PEM block, whatever its line breaks.
var block = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----`)

// lineLength is the length of the lines of a PEM block (RFC 7468, section 2).
const lineLength = 64

// repairPEM restores the line breaks of certificates and keys that were pasted as one
// line, with \n written out, with spaces, or with nothing instead. It returns text without
// a complete block unchanged.
func repairPEM(text string) string {
	text = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\r`, "\n").Replace(text)
	return block.ReplaceAllStringFunc(text, func(found string) string {
		parts := block.FindStringSubmatch(found)
		if strings.Contains(parts[2], ":") { // headers, such as those of an encrypted key
			return found
		}
		var b strings.Builder
		b.WriteString("\n-----BEGIN " + parts[1] + "-----\n")
		body := strings.Join(strings.Fields(parts[2]), "")
		for len(body) > 0 {
			n := min(lineLength, len(body))
			b.WriteString(body[:n] + "\n")
			body = body[n:]
		}
		b.WriteString("-----END " + parts[3] + "-----\n")
		return b.String()
	})
}

// repairCertificates repairs the certificates in the configuration and rejects those that
// cannot be used.
func (c *Config) repairCertificates() error {
	c.CACertPEM, c.ClientCertPEM, c.ClientKeyPEM = repairPEM(c.CACertPEM), repairPEM(c.ClientCertPEM), repairPEM(c.ClientKeyPEM)
	without := *c
	without.CACertFile, without.CACertDir = "", ""
	_, err := tlsSettings(without)
	return err
}
