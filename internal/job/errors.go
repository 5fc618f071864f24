package job

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// Codes that are used in several places.
const (
	codeRecovered = "PSA403"
	codeRevoke    = "PSA501"
)

// All texts of failures are in this file and in internal/runner/errors.go. Each states what
// happened, what is true now unless that is obvious, and what to do.
func fail(code string, err error, format string, args ...any) error {
	return runner.Fail(code, err, format, args...)
}

// PSA0xx: inputs.

func badInputs(problems []string) error {
	return fail("PSA001", nil, "Nothing was done, because some inputs are invalid:\n- %s", strings.Join(problems, "\n- "))
}

func revokeAll(folder string) string {
	return fmt.Sprintf("This replaces every token below %s and revokes the previous one immediately. Consumers are refused until they read the new token.", folder)
}

func notConfirmed(folder string) error {
	return fail("PSA001", nil, "Nothing was done: --revoke-previous would revoke the replaced tokens of all entries below %s immediately, and that was not confirmed. "+
		"Answer yes on a terminal, pass --yes, or select one entry with --vault-path or --aws-secret-id.", folder)
}

func abandonAll(folder, endpoint string) string {
	return fmt.Sprintf("This closes every entry at %s that belongs to %s; those entries no longer serve a token. It revokes no tokens: if that PAIStrike still exists, they work there until they expire.", folder, endpoint)
}

func abandonNotConfirmed(folder string) error {
	return fail("PSA001", nil, "Nothing was done: abandon would close the entries at %s without revoking their tokens, and that was not confirmed. "+
		"Answer yes on a terminal, pass --yes, or run with --dry-run first.", folder)
}

func noCommand(name string) error {
	return fail("PSA002", nil, "The command %q cannot be run, so no token was created for it. Check its name and permissions.", name)
}

// PSA2xx: Vault logins.

func vaultUnreachable(address, stage string, err error, proxy bool) error {
	through := "not through a proxy"
	if proxy {
		through = "through the proxy in the environment"
	}
	return fail("PSA201", err, "Vault at %s cannot be reached (%s, %s): %v. Check vault_address and the network. A private address cannot be reached from every runner.",
		address, stage, through, err)
}

func vaultUntrusted(address string, err error) error {
	return fail("PSA202", err, "The certificate of Vault at %s is not trusted: %v. Set vault_ca_cert to the CA that signed it; it is trusted in addition to the system's.", address, err)
}

func noBoundAudience(role, audience string, err error) error {
	return fail("PSA203", err, "Vault role %q has no bound_audiences, which Vault 1.17 and later require. Set bound_audiences = [%q] on the role, or set the input audience to the audience that you add to it.", role, audience)
}

func wrongAudience(role, audience string, err error) error {
	return fail("PSA204", err, "Vault role %q does not accept the audience %q. Set the input audience to one of the role's bound_audiences. Vault's response: %s", role, audience, reasons(err))
}

func wrongClaim(role, shown string, sub bool, err error) error {
	note := ""
	if sub {
		note = "\nSince 2026, GitHub includes IDs in sub (repo:org@id/name@id:…), so older patterns do not match. Bind repository_id, environment and job_workflow_ref instead."
	}
	return fail("PSA205", err, "Vault role %q does not accept the claims of this run. Vault's response: %s\nThe claims of this run:\n%s\nCompare them with the role's bound_claims.%s", role, reasons(err), shown, note)
}

func loginRefused(method, mount, namespace, role string, err error) error {
	return fail("PSA206", err, "Vault refused the %s login at auth/%s%s%s: %s. Check vault_auth_path, vault_role and vault_auth_namespace, and that the auth method is enabled there.",
		method, mount, in(namespace), as(role), reasons(err))
}

func wrongRoleType(role string, err error) error {
	return fail("PSA207", err, "Vault role %q is for browser logins. Set role_type = \"jwt\" on the role.", role)
}

func vaultUnavailable(address string, sealed bool, err error) error {
	if sealed {
		return fail("PSA208", err, "Vault at %s is sealed. Unseal it, then run again.", address)
	}
	return fail("PSA208", err, "Vault at %s cannot process requests now: %v. Run again later.", address, err)
}

// PSA3xx: the entry in Vault.

func readForbidden(at entry.Location, err error) error {
	return fail("PSA301", err, "The Vault policy does not allow reading %s/data/%s%s. Attach a policy to the role with:\n"+
		"path \"%s/data/%s\" {\n  capabilities = [\"read\"]\n}", at.Mount, at.Path, in(at.Namespace), at.Mount, at.Path)
}

func nothingThere(at entry.Location, field entry.Field) error {
	switch {
	case field.Condition == entry.Absent:
		return fail("PSA302", nil, "There is no secret at %s in the KV v2 mount %s%s, or its current version is deleted. Check vault_mount and vault_path (without data/).", at.Path, at.Mount, in(at.Namespace))
	case field.Record != nil:
		return fail("PSA302", nil, "Terraform destroyed the token at %s/%s (version %s). Create it again with Terraform, or set a different vault_path.", at.Mount, at.Path, field.Revision)
	}
	return fail("PSA302", nil, "Version %s of %s/%s has no string in the field %q. Its fields are: %s. Set vault_key to one of them.",
		field.Revision, at.Mount, at.Path, at.Key, strings.Join(field.Names, ", "))
}

func notOneLine(at entry.Location, err error) error {
	return fail("PSA302", err, "The field %q of %s is not a token: it must be one line of visible ASCII characters, because other values cannot be masked reliably in logs. Check the field and its value.", at.Key, at)
}

func listForbidden(folder entry.Location, err error) error {
	below := strings.TrimPrefix(folder.Path+"/", "/")
	return fail("PSA304", err, "The Vault policy does not allow listing %s/metadata/%s%s. Attach a policy to the role with:\n"+
		"path \"%s/metadata/%s*\" {\n  capabilities = [\"read\", \"list\"]\n}", folder.Mount, below, in(folder.Namespace), folder.Mount, below)
}

func nothingFound(folder entry.Location) error {
	return fail("PSA305", nil, "There are no entries below %s/%s%s, so nothing was checked. Check vault_mount and vault_prefix (without metadata/), and that the mount is a KV v2 secrets engine. "+
		"If the folder can be empty, set allow_empty: true.", folder.Mount, folder.Path, in(folder.Namespace))
}

// storeFailed returns a store's failure, with the store's own code.
func storeFailed(f *entry.Failure) error {
	said := f.Summary + ". " + f.Facts
	if f.Err != nil {
		said = f.Summary + ": " + f.Err.Error() + ". " + f.Facts
	}
	return fail(f.Code, f, "%s %s", strings.TrimSpace(said), f.Advice)
}

func nothingThereInAWS(at entry.Location, field entry.Field) error {
	switch {
	case field.Condition == entry.Deleted:
		return fail("PSA302", nil, "The secret %s is scheduled for deletion, so AWS does not return its value. Restore the secret, or create its token again with Terraform.", at.Path)
	case field.Condition == entry.Absent:
		return fail("PSA302", nil, "There is no secret %s in this account and region, or it has no value yet. Check its name, aws_region, and the account of the credentials.", at.Path)
	case field.Record != nil:
		return fail("PSA302", nil, "Terraform destroyed the token in the secret %s. Create it again with Terraform, or use a different secret.", at.Path)
	}
	return fail("PSA302", nil, "The secret %s has no string in the field %q. Its fields are: %s. Use one of them.", at.Path, at.Key, strings.Join(field.Names, ", "))
}

func nothingFoundInAWS(prefix, region string) error {
	where := "in the region"
	if region != "" {
		where = "in " + region
	}
	return fail("PSA305", nil, "There is no secret %s with a name that begins with %s/, so nothing was checked. Check aws_prefix and aws_region. AWS's list can be minutes out of date. "+
		"If there can be no such secrets, set allow_empty: true.", where, prefix)
}

func vaultAnswered(at entry.Location, err error) error {
	return fail("PSA302", err, "Vault could not read %s/%s%s: %v. Check that vault_mount is a KV v2 secrets engine.", at.Mount, at.Path, in(at.Namespace), err)
}

func endsTooSoon(at string, t token, left, least time.Duration) error {
	if left <= 0 {
		return fail("PSA303", nil, "The token at %s (%s) expired at %s. Run terraform apply to rotate it.", at, t.ID, report.Stamp(t.ExpiresAt))
	}
	return fail("PSA303", nil, "The token at %s (%s) expires at %s, in %s, but min_remaining requires %s. Run terraform apply to rotate it, or lower min_remaining.",
		at, t.ID, report.Stamp(t.ExpiresAt), left.Round(time.Second), least)
}

func endUnknown(at string) error {
	return fail("PSA303", nil, "The expiry of the token at %s is not known: the token was stored manually, and with verify: false PAIStrike is not asked. "+
		"Set verify: true, or min_remaining: 0 for no minimum.", at)
}

func managedBroker(at, folder, name string) error {
	return fail("PSA306", nil, "The entry in broker_path, %s, is one of the entries to rotate below %s (%s). Nothing was done. If it contains the token of an integration, broker_path is wrong: "+
		"set it to the entry of the management token. If it contains the management token, move it outside the folder, and rotate it in a separate run for this entry only.", at, folder, name)
}

// PSA4xx: PAIStrike.

func tokenRefused(at, what string, err error) error {
	return fail("PSA401", err, "PAIStrike does not accept the %s at %s: it was revoked, has expired, or belongs to another account. "+
		"Replace it with a new one (PAIStrike: Profile Settings, API Tokens), and check endpoint.", what, at)
}

func createRefused(hint string, err error) error {
	return fail("PSA402", err, "PAIStrike did not create a token: %v. %s", err, hint)
}

func recovered(id, name string) string {
	return fmt.Sprintf("%s: PAIStrike's response with the secret of token %s (%s) was lost. The token was found by its name and revoked.", codeRecovered, id, name)
}

func apiUnavailable(endpoint string, err error) error {
	return fail("PSA404", err, "PAIStrike at %s could not process the request: %v. Check endpoint and api_prefix, or run again later.", endpoint, err)
}

func outcomeUnknown(err error, mayExist bool) error {
	if !mayExist {
		return fail("PSA405", err, "PAIStrike's responses with the secrets of two tokens were lost: %v. Both tokens were found by their names and revoked, so there is no token. Run again.", err)
	}
	return fail("PSA405", err, "PAIStrike may have created a token, but its secret was lost: %v. At the end of the job, the token is searched for by its name and revoked.", err)
}

func notATokenOfOurs() error {
	return fail("PSA406", nil, "PAIStrike's token is not one line of visible ASCII characters, so it cannot be masked reliably in logs. The token is not used; it is revoked now or at the end of the job. Report this to PAIStrike.")
}

func mintedRefused(t token, err error) error {
	return fail("PSA407", err, "PAIStrike created token %s but does not accept it: %v. The token is not used; it is revoked now or at the end of the job. Check that endpoint leads to a single PAIStrike.", t.ID, err)
}

// PSA5xx: the post step.

func revokeFailed(id, name, expires string, err error) error {
	if expires == "" {
		expires = "the expiry that PAIStrike shows"
	}
	if id == "" {
		id = "(ID not known)"
	}
	return fail(codeRevoke, err, "Token %s (%s) was not revoked and works until %s: %v. Revoke it in PAIStrike: Profile Settings, API Tokens.", id, name, expires, err)
}

func mayExist(name, expires string, err error) error {
	return fail(codeRevoke, err, "A token named %s may exist until %s: the response to its creation was lost, and PAIStrike lists no such token %d s later. "+
		"Find it in PAIStrike (Profile Settings, API Tokens), and revoke it.", name, expires, int(lookTime.Seconds()))
}

// PSA6xx: the launcher, see launch.js

// PSA7xx: cancellation and timeouts.

func cancelled() error {
	return fail("PSA701", errCancelled, "The run was cancelled. Tokens that it created are revoked, now or at the end of the job.")
}

func outOfTime(timeout time.Duration, err error) error {
	return fail("PSA702", err, "The run exceeded timeout, %s. Increase timeout, or enable debug logging to see which request is slow.", timeout)
}

// PSA9xx: results of rotate and audit. All possible work is done before these are returned.

// errFound is returned by a successful run that found what fail_on names.
var errFound = errors.New("found what fail_on names")

func entriesFailed(failed, total int, which string) error {
	return fail("PSA901", nil, "%d of %s failed: %s. All others are done. Entries that failed are unchanged. Fix the causes in the table, then run again.", failed, report.Count(total, "entry", "entries"), which)
}

func notClosed(failed, total int, which string) error {
	return fail("PSA901", nil, "%d of %s failed: %s. All others are done. The table shows the state of each entry and what to do. Then run again.", failed, report.Count(total, "entry", "entries"), which)
}

func stillOverdue(overdue int, which string) error {
	return fail("PSA902", errFound, "%s overdue for rotation: %s. Run without dry_run, or find out why the scheduled rotation does not run.", report.Count(overdue, "token is", "tokens are"), which)
}

func findingsFound(errs, warnings int) error {
	return fail("PSA903", errFound, "The audit found %s and %s. The table shows what to do about each. To change which findings fail the run, set fail_on.",
		report.Count(errs, "error", "errors"), report.Count(warnings, "warning", "warnings"))
}

func stillCompromised(entries int, which string) error {
	return fail("PSA905", nil, "The new tokens are stored, but PAIStrike did not confirm that the compromised token of %s is revoked: %s. It may still work. Run again, or revoke it in PAIStrike: Profile Settings, API Tokens.",
		report.Count(entries, "entry", "entries"), which)
}

func nothingOfThatPAIStrike(where, endpoint, other string) error {
	return fail("PSA906", nil, "No entry at %s belongs to %s, so nothing was closed. The entries there belong to a different PAIStrike, such as %s. Check endpoint and api_prefix.", where, endpoint, other)
}

func notTold(what string, err error) error {
	return fail("PSA904", err, "The audit is complete, but its findings could not be sent to %s: %v. The findings are in the table.", what, err)
}

func in(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in namespace " + namespace
}

func as(role string) string {
	if role == "" {
		return ""
	}
	return fmt.Sprintf(" as role %q", role)
}
