package job

import (
	"fmt"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
)

// headline returns the log line about a token.
func (s *session) headline(t token) string {
	where := "only as an output"
	if s.set.exportEnv {
		where = "as " + s.set.envName
	}
	return fmt.Sprintf("Token %s (%s), %s, is available to later steps %s; %s.", orUnknown(t.ID), orUnknown(inert.Short(t.Name)), t.source, where, s.ending(t))
}

func (s *session) ending(t token) string {
	if t.ExpiresAt.IsZero() {
		if t.source == "read" && t.ID == "" {
			return "its expiry is not known"
		}
		return "it never expires"
	}
	return "expires at " + report.Stamp(t.ExpiresAt)
}

func orUnknown(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}

// summary returns the table for the job summary. It contains IDs and names but no secret.
func (s *session) summary(t token) string {
	exported := "only the output `token`"
	if s.set.exportEnv {
		exported = "the output `token` and `" + s.set.envName + "`"
	}
	revoke := "no, Terraform manages it"
	if t.source == "minted" {
		revoke = "no, because of `revoke: false`"
		if s.set.revoke {
			revoke = "when the job ends"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### PAIStrike token\n\n| | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"Mode", s.set.mode},
		{"Token", "<code>" + inert.Markdown(orUnknown(t.ID)) + "</code>"},
		{"Name", inert.Markdown(orUnknown(t.Name))},
		{"Expiry", inert.Markdown(s.ending(t))},
		{"Available as", exported},
		{"Store", inert.Markdown(s.kept(t))},
		{"Login", inert.Markdown(s.login())},
		{"Revoked", revoke},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

// kept names the location of the credential.
func (s *session) kept(t token) string {
	if s.set.store == "" {
		return "none"
	}
	at := s.set.place(s.set.at)
	if s.set.store == storeVault {
		if s.set.vault.Namespace != "" {
			at = s.set.vault.Namespace + ": " + at
		}
		at = s.set.vault.Address + " · " + at
	}
	if t.version > 0 {
		at += fmt.Sprintf(", generation %d", t.version)
	}
	return at
}

// login names the identity that read the store.
func (s *session) login() string {
	switch role := s.set.aws.AssumeRoleWithWebIdentity; {
	case s.set.store == storeAWS && role != nil:
		return role.ARN
	case s.set.store == storeAWS:
		return "credentials of the environment"
	}
	login := s.set.vault.Login.Method
	if role := s.set.vault.Login.Role; role != "" {
		login += ", role " + role
	}
	return login
}

func revokedNote(revoked []paistrike.Token, now time.Time) string {
	var b strings.Builder
	for _, t := range revoked {
		fmt.Fprintf(&b, "PAIStrike token %s was revoked at %s.\n\n", inert.Code(t.ID), report.Stamp(now))
	}
	return b.String()
}

func notRevokedNote(err error) string {
	return "> [!CAUTION]\n> " + inert.Markdown(inert.Short(err.Error())) + "\n"
}
