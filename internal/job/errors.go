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
	return fail("PSA001", nil, "Nothing was done, because the inputs are not right:\n- %s", strings.Join(problems, "\n- "))
}

func revokeAll(folder string) string {
	return fmt.Sprintf("Every token below %s is replaced, and the one before it revoked at once: consumers that have not fetched the new one are refused.", folder)
}

func notConfirmed(folder string) error {
	return fail("PSA001", nil, "Nothing was done: --revoke-previous would revoke the replaced tokens of all entries below %s at once, and nobody has confirmed that. "+
		"Answer yes on a terminal, pass --yes, or name one entry with --vault-path or --aws-secret-id.", folder)
}

func abandonAll(folder, endpoint string) string {
	return fmt.Sprintf("Every entry at %s that belongs to %s is closed and serves nothing any more. No token is revoked: if that PAIStrike still exists, each works there until it expires.", folder, endpoint)
}

func abandonNotConfirmed(folder string) error {
	return fail("PSA001", nil, "Nothing was done: abandon would close the entries at %s without revoking their tokens, and nobody has confirmed that. "+
		"Answer yes on a terminal, pass --yes, or look first with --dry-run.", folder)
}

func noCommand(name string) error {
	return fail("PSA002", nil, "The command %q cannot be run, so it got no token.", name)
}

// PSA2xx: Vault logins.

func vaultUnreachable(address, stage string, err error, proxy bool) error {
	through := "without a proxy"
	if proxy {
		through = "through the proxy that the environment names"
	}
	return fail("PSA201", err, "Vault at %s does not answer (%s, %s): %v. Check vault_address and the network; a private address is not reachable from everywhere.",
		address, stage, through, err)
}

func vaultUntrusted(address string, err error) error {
	return fail("PSA202", err, "The certificate of Vault at %s is not trusted: %v. Pass the authority that signed it as vault_ca_cert; it comes on top of the system's.", address, err)
}

func noBoundAudience(role, audience string, err error) error {
	return fail("PSA203", err, "Vault role %q names no audience, and Vault 1.17 and later refuse that. Set bound_audiences = [%q] on the role, or the input audience to what it names.", role, audience)
}

func wrongAudience(role, audience string, err error) error {
	return fail("PSA204", err, "Vault role %q does not take the audience %q. Set the input audience to one of the role's bound_audiences. Vault says: %s", role, audience, reasons(err))
}

func wrongClaim(role, shown string, sub bool, err error) error {
	note := ""
	if sub {
		note = "\nSince 2026 GitHub writes ids into sub (repo:org@id/name@id:…), so an older pattern no longer matches: bind repository_id, environment and job_workflow_ref instead."
	}
	return fail("PSA205", err, "Vault role %q does not take this run. Vault says: %s\nThe claims of this run:\n%s\nCompare them with bound_claims of the role.%s", role, reasons(err), shown, note)
}

func loginRefused(method, mount, namespace, role string, err error) error {
	return fail("PSA206", err, "Vault refused the login by %s at auth/%s%s%s: %s. Check vault_auth_path, vault_role and vault_auth_namespace, and that the method is set up there.",
		method, mount, in(namespace), as(role), reasons(err))
}

func wrongRoleType(role string, err error) error {
	return fail("PSA207", err, "Vault role %q is for people who log in with a browser. Set role_type = \"jwt\" on it.", role)
}

func vaultUnavailable(address string, sealed bool, err error) error {
	if sealed {
		return fail("PSA208", err, "Vault at %s is sealed. Unseal it and try again.", address)
	}
	return fail("PSA208", err, "Vault at %s cannot answer now: %v. Try again later.", address, err)
}

// PSA3xx: the entry in Vault.

func readForbidden(at entry.Location, err error) error {
	return fail("PSA301", err, "Vault does not let this login read %s/data/%s%s. Give the role a policy with:\n"+
		"path \"%s/data/%s\" {\n  capabilities = [\"read\"]\n}", at.Mount, at.Path, in(at.Namespace), at.Mount, at.Path)
}

func nothingThere(at entry.Location, field entry.Field) error {
	switch {
	case field.Condition == entry.Absent:
		return fail("PSA302", nil, "There is nothing at %s in the KV v2 engine %s%s, or its last version is deleted. Check vault_mount and vault_path (without data/).", at.Path, at.Mount, in(at.Namespace))
	case field.Record != nil:
		return fail("PSA302", nil, "The token at %s/%s was destroyed by Terraform (version %s). Provision it anew, or name another vault_path.", at.Mount, at.Path, field.Revision)
	}
	return fail("PSA302", nil, "Version %s of %s/%s has no text in the field %q. Its fields are: %s. Set vault_key to one of them.",
		field.Revision, at.Mount, at.Path, at.Key, strings.Join(field.Names, ", "))
}

func notOneLine(at entry.Location, err error) error {
	return fail("PSA302", err, "The field %q of %s is not a token: it must be one line of visible ASCII characters, because nothing else is hidden in logs for sure.", at.Key, at)
}

func listForbidden(folder entry.Location, err error) error {
	below := strings.TrimPrefix(folder.Path+"/", "/")
	return fail("PSA304", err, "Vault does not let this login list %s/metadata/%s%s. Give the role a policy with:\n"+
		"path \"%s/metadata/%s*\" {\n  capabilities = [\"read\", \"list\"]\n}", folder.Mount, below, in(folder.Namespace), folder.Mount, below)
}

func nothingFound(folder entry.Location) error {
	return fail("PSA305", nil, "There is no entry below %s/%s%s, so nothing was looked at. Check vault_mount and vault_prefix (without metadata/), and that the mount is a KV engine of version 2. "+
		"If the folder may be empty, set allow_empty: true.", folder.Mount, folder.Path, in(folder.Namespace))
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
		return fail("PSA302", nil, "The secret %s is scheduled for deletion, so that AWS does not show its value. Provision its token anew, or restore it.", at.Path)
	case field.Condition == entry.Absent:
		return fail("PSA302", nil, "There is no secret %s in this account and region, or it has no value yet. Check its name, aws_region, and whose credentials the run has.", at.Path)
	case field.Record != nil:
		return fail("PSA302", nil, "The token in the secret %s was destroyed by Terraform. Provision it anew, or name another secret.", at.Path)
	}
	return fail("PSA302", nil, "The secret %s has no text in the field %q. Its fields are: %s. Name one of them.", at.Path, at.Key, strings.Join(field.Names, ", "))
}

func nothingFoundInAWS(prefix, region string) error {
	where := "in the region"
	if region != "" {
		where = "in " + region
	}
	return fail("PSA305", nil, "There is no secret %s whose name begins with %s/, so nothing was looked at. Check aws_prefix and aws_region; AWS's list may be minutes behind. "+
		"If there may be none, set allow_empty: true.", where, prefix)
}

func vaultAnswered(at entry.Location, err error) error {
	return fail("PSA302", err, "Vault could not read %s/%s%s: %v. vault_mount must name a KV engine of version 2.", at.Mount, at.Path, in(at.Namespace), err)
}

func endsTooSoon(at string, t token, left, least time.Duration) error {
	if left <= 0 {
		return fail("PSA303", nil, "The token at %s (%s) expired at %s. Run terraform apply to rotate it.", at, t.ID, report.Stamp(t.ExpiresAt))
	}
	return fail("PSA303", nil, "The token at %s (%s) expires at %s, in %s; min_remaining asks for %s. Run terraform apply to rotate it, or lower min_remaining.",
		at, t.ID, report.Stamp(t.ExpiresAt), left.Round(time.Second), least)
}

func endUnknown(at string) error {
	return fail("PSA303", nil, "When the token at %s expires is not known: someone put it there by hand, and verify: false asks nobody. "+
		"Set verify: true, or min_remaining: 0 if any time is enough.", at)
}

func managedBroker(at, folder, name string) error {
	return fail("PSA306", nil, "%s, which broker_path names, serves one of the tokens that are rotated below %s (%s). Nothing was done. If it is the token of an integration, broker_path is wrong: "+
		"name the entry of the management token. If it is the management token, keep it outside of the folder, and rotate it in a run of its own, which names its entry alone.", at, folder, name)
}

// PSA4xx: PAIStrike.

func tokenRefused(at, what string, err error) error {
	return fail("PSA401", err, "PAIStrike does not accept the %s at %s: it was revoked, has expired, or belongs to another account. "+
		"Replace it there (PAIStrike: Profile Settings, API Tokens), and check that endpoint is the right PAIStrike.", what, at)
}

func createRefused(hint string, err error) error {
	return fail("PSA402", err, "PAIStrike made no token: %v. %s", err, hint)
}

func recovered(id, name string) string {
	return fmt.Sprintf("%s: PAIStrike's answer was lost, and with it the secret of token %s (%s). That token was found by its name and revoked.", codeRecovered, id, name)
}

func apiUnavailable(endpoint string, err error) error {
	return fail("PSA404", err, "PAIStrike at %s could not do it: %v. Check endpoint and api_prefix, or try again later.", endpoint, err)
}

func outcomeUnknown(err error, mayExist bool) error {
	if !mayExist {
		return fail("PSA405", err, "PAIStrike's answers were lost, and with them the secrets of two tokens: %v. Both were found by their names and revoked, so there is no token. Run it again.", err)
	}
	return fail("PSA405", err, "PAIStrike may have made a token whose secret is lost: %v. At the end of the job it is looked for by its name and revoked.", err)
}

func notATokenOfOurs() error {
	return fail("PSA406", nil, "PAIStrike's token is not one line of visible ASCII characters, so that it cannot be hidden in logs for sure. It is handed to nobody.")
}

func mintedRefused(t token, err error) error {
	return fail("PSA407", err, "PAIStrike made token %s and does not accept it: %v. It is handed to nobody. If endpoint leads to several PAIStrikes, name one.", t.ID, err)
}

// PSA5xx: the post step.

func revokeFailed(id, name, expires string, err error) error {
	if expires == "" {
		expires = "the end that PAIStrike shows"
	}
	if id == "" {
		id = "(id not known)"
	}
	return fail(codeRevoke, err, "Token %s (%s) was not revoked and works until %s: %v. Revoke it in PAIStrike: Profile Settings, API Tokens.", id, name, expires, err)
}

func mayExist(name, expires string, err error) error {
	return fail(codeRevoke, err, "A token named %s may exist until %s: PAIStrike's answer was lost when it was asked for, and PAIStrike lists no such token %d s later. "+
		"Look for it in PAIStrike (Profile Settings, API Tokens), and revoke it.", name, expires, int(lookTime.Seconds()))
}

// PSA6xx: the launcher, see launch.js

// PSA7xx: cancellation and timeouts.

func cancelled() error {
	return fail("PSA701", errCancelled, "The run was cancelled. What it had made is revoked, now or at the end of the job.")
}

func outOfTime(timeout time.Duration, err error) error {
	return fail("PSA702", err, "The run took longer than timeout, %s. Raise timeout, or see with debug logging which call takes so long.", timeout)
}

// PSA9xx: results of rotate and audit. All possible work is done before these are returned.

// errFound is returned by a successful run that found what fail_on names.
var errFound = errors.New("found what fail_on names")

func entriesFailed(failed, total int, which string) error {
	return fail("PSA901", nil, "%d of %s failed, and all others are done: %s. What failed is as it was; fix what its line says and run again.", failed, report.Count(total, "entry", "entries"), which)
}

func notClosed(failed, total int, which string) error {
	return fail("PSA901", nil, "%d of %s failed, and all others are done: %s. The line of each says what is true of it and what to do; then run again.", failed, report.Count(total, "entry", "entries"), which)
}

func stillOverdue(overdue int, which string) error {
	return fail("PSA902", errFound, "%s overdue for rotation: %s. Run without dry_run, or see why the scheduled rotation does not run.", report.Count(overdue, "token is", "tokens are"), which)
}

func findingsFound(errs, warnings int) error {
	return fail("PSA903", errFound, "The audit has %s and %s. The table says what to do about each; fail_on chooses what counts.",
		report.Count(errs, "error", "errors"), report.Count(warnings, "warning", "warnings"))
}

func stillCompromised(entries int, which string) error {
	return fail("PSA905", nil, "The new tokens are stored, and a compromised one of %s was not seen to be revoked: %s. It may still work. Run again, or revoke it in PAIStrike: Profile Settings, API Tokens.",
		report.Count(entries, "entry", "entries"), which)
}

func nothingOfThatPAIStrike(where, endpoint, other string) error {
	return fail("PSA906", nil, "No entry at %s belongs to %s, so nothing was closed. Entries there belong to another PAIStrike, such as %s. Check endpoint and api_prefix.", where, endpoint, other)
}

func notTold(what string, err error) error {
	return fail("PSA904", err, "The audit is done, and could not be told to %s: %v. What it found is in the table.", what, err)
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
