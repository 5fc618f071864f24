package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// This file contains the texts of all findings: the problem and the fix.

const byHand = "in PAIStrike under Profile Settings, API Tokens"

func about(code Code, severity Severity, path string, token paistrike.Token, detail, fix string) Finding {
	return Finding{Code: code, Severity: severity, Path: path, TokenID: token.ID, TokenName: token.Name, Detail: detail, Fix: fix}
}

// tokenOf returns the token in an entry's mirror.
func tokenOf(h *held) paistrike.Token { return paistrike.Token{ID: h.tokenID, Name: h.tokenName} }

func deadInVault(h *held) Finding {
	state, token := "was revoked", h.token
	if token.Status != paistrike.StatusRevoked {
		state = "expired at " + instant(token.ExpiresAt)
	}
	fix := "Run terraform apply, or add a rotation block."
	if h.scheduled {
		fix = "Run the scheduled rotation, or terraform apply."
	}
	return about(DeadInVault, Error, h.path, token, "The store serves a token that "+state+".", fix)
}

func missingToken(h *held) Finding {
	return about(MissingToken, Error, h.path, tokenOf(h), "The store serves a token that does not exist in PAIStrike.",
		"Check endpoint and the account of the management token, then run terraform apply.")
}

func unreadable(h *held) Finding {
	p := problemOf(h.err)
	return about(Unreadable, Error, h.path, tokenOf(h), strings.TrimSpace(p.Code+" "+p.Summary)+".", "Run terraform apply with the release that wrote the entry, or a later one.")
}

func staleMetadata(h *held) Finding {
	return about(StaleMetadata, Error, h.path, tokenOf(h), "The metadata does not describe the version that the store serves: "+problemOf(h.damaged).Summary+".",
		"Run the scheduled rotation or terraform apply to rebuild the metadata from the record.")
}

func rotationOverdue(h *held) Finding {
	since := ""
	if !h.overdue.Next.IsZero() {
		since = " since " + instant(h.overdue.Next)
	}
	return about(Overdue, Error, h.path, h.token, fmt.Sprintf("The rotation has been due%s (%s).", since, h.overdue.Reason),
		"Run the scheduled rotation, and find out why it did not run.")
}

func expiring(path string, token paistrike.Token, now time.Time) Finding {
	left := token.ExpiresAt.Sub(now).Truncate(time.Hour)
	ends := "in less than an hour"
	if left > 0 {
		ends = "in " + schedule.FormatDuration(left)
	}
	fix := "Add a rotation block to the resource."
	if path == "" {
		fix = "Manage the token with Terraform, or replace it manually before it expires."
	}
	return about(Expiring, Error, path, token, "The token expires at "+instant(token.ExpiresAt)+", "+ends+", and no schedule replaces it.", fix)
}

func orphan(home *held, token paistrike.Token) Finding {
	detail, fix := "Created for this entry by a run that was interrupted; the entry does not refer to it.", "Run the audit with sweep: true, or wait for the next rotation."
	switch {
	case !home.serves:
		detail, fix = "Created for this entry, which no longer serves a token.", "Revoke it "+byHand+"."
	case rotation.Used(token):
		detail, fix = "Created for this entry, which does not refer to it, and in use: the store may have been restored from a backup.", "No action is needed: the next rotation keeps it for one overlap and then revokes it."
	}
	return about(Orphan, Warning, home.path, token, detail, fix)
}

func jobLeftover(token paistrike.Token) Finding {
	what, see := "job", "the post step did not"
	if rotation.IsRunName(token.Name) {
		what, see = "Terraform run", "the run did not"
	}
	return about(JobLeftover, Warning, "", token, "Created for a "+what+" at "+instant(token.CreatedAt)+". The "+what+" must have ended, but the token still works.",
		"Revoke it "+byHand+", and find out why "+see+".")
}

func noExpiry(path string, token paistrike.Token) Finding {
	return about(NoExpiry, Warning, path, token, "The token never expires.", replaceBy(path, "expires_in"))
}

func longLife(path string, token paistrike.Token, life, most time.Duration) Finding {
	return about(LongLife, Warning, path, token,
		fmt.Sprintf("The token's lifetime is %s, longer than %s.", schedule.FormatDuration(life), schedule.FormatDuration(most)), replaceBy(path, "a shorter expires_in"))
}

// replaceBy explains how to change a token's expiry.
func replaceBy(path, what string) string {
	if path == "" {
		return "Replace it with a token that Terraform manages, with " + what + "."
	}
	return "Set " + what + " on the resource."
}

func neverUsed(path string, token paistrike.Token) Finding {
	return about(NeverUsed, Warning, path, token, "Created at "+instant(token.CreatedAt)+" and never used.", endOf(path))
}

func unused(path string, token paistrike.Token) Finding {
	return about(Unused, Warning, path, token, "Last used at "+instant(token.LastUsedAt)+".", endOf(path))
}

func endOf(path string) string {
	if path == "" {
		return "If it is no longer needed, revoke it " + byHand + "."
	}
	return "If it is no longer needed, remove its resource from Terraform."
}

func duplicateLabel(label string, ids []string) Finding {
	slices.Sort(ids)
	return Finding{
		Code: DuplicateLabel, Severity: Warning, TokenID: ids[0], TokenName: label,
		Detail: fmt.Sprintf("%d tokens have this name: %s.", len(ids), strings.Join(ids, ", ")), Fix: "Choose a separate name for each integration.",
	}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
