package main

import (
	"fmt"
	"strings"
	"time"
)

// headline is the one line that the log shows of a token.
func (p *program) headline(t token) string {
	where := "as an output only"
	if p.set.exportEnv {
		where = "as " + p.set.envName
	}
	return fmt.Sprintf("Token %s (%s), %s, handed to the next steps %s; %s.", orUnknown(t.ID), orUnknown(oneLine(t.Name)), t.source, where, p.ending(t))
}

func (p *program) ending(t token) string {
	if t.ExpiresAt.IsZero() {
		if t.source == "read" && t.ID == "" {
			return "when it expires is not known"
		}
		return "it never expires"
	}
	return "expires at " + stamp(t.ExpiresAt)
}

func orUnknown(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}

// summary is the table on the page of the run. It shows ids and names, no values.
func (p *program) summary(t token) string {
	exported := "output `token` only"
	if p.set.exportEnv {
		exported = "output `token` and `" + p.set.envName + "`"
	}
	at := p.set.at.Mount + "/" + p.set.at.Path
	if p.set.vault.Namespace != "" {
		at = p.set.vault.Namespace + ": " + at
	}
	if t.version > 0 {
		at += fmt.Sprintf(", version %d", t.version)
	}
	login := p.set.vault.Login.Method
	if role := p.set.vault.Login.Role; role != "" {
		login += ", role " + role
	}
	revoke := "no, it belongs to whoever provisioned it"
	if t.source == "minted" {
		revoke = "no, as `revoke: false` asks for"
		if p.set.revoke {
			revoke = "when the job ends"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### PAIStrike token\n\n| | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"Mode", p.set.mode},
		{"Token", "<code>" + escape(orUnknown(t.ID)) + "</code>"},
		{"Name", escape(orUnknown(t.Name))},
		{"Life", escape(p.ending(t))},
		{"Handed over as", exported},
		{"Vault", escape(p.set.vault.Address + " · " + at)},
		{"Login", escape(login)},
		{"Revoked", revoke},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

func revokedNote(left leftover, now time.Time) string {
	return fmt.Sprintf("PAIStrike token <code>%s</code> was revoked at %s.\n", escape(orUnknown(left.id)), stamp(now))
}

func notRevokedNote(err error) string {
	return "> [!CAUTION]\n> " + escape(oneLine(err.Error())) + "\n"
}

// escape makes a foreign text plain in a cell of a Markdown table: no cell border, no
// code, no link, no HTML.
func escape(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "[", "&#91;", "]", "&#93;", "\\", "&#92;", "*", "&#42;", "_", "&#95;", "!", "&#33;",
	).Replace(flat(text, 1000))
}
