package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// warnOfPath warns about a path that repeats a part of Vault's API path: the entry would
// be created at secret/data/data/ci.
func (m apiTokenModel) warnOfPath(ctx context.Context, diags *diag.Diagnostics) {
	if m.Vault.IsNull() || anyUnknown(ctx, m.Vault) {
		return
	}
	v := fromObject[tokenVaultModel](m.Vault)
	entry, mount := v.Path.ValueString(), v.Mount.ValueString()
	for _, prefix := range []string{mount + "/data", mount + "/metadata", mount, "data", "metadata"} {
		rest, found := strings.CutPrefix(entry, prefix+"/")
		if !found {
			continue
		}
		diags.AddAttributeWarning(path.Root("vault").AtName("path"), "Path repeats the mount or the API",
			fmt.Sprintf("vault.path is relative to the mount, so the entry will be at %s/data/%s in Vault's API. Unless you want a folder named %s there, set path = %q.", mount, entry, prefix, rest))
		return
	}
}

// warnOfCleanUp explains why a plan changes something although no token is due.
func warnOfCleanUp(s situation, c change, diags *diag.Diagnostics) {
	if c.rotate || c.refuse || c.lost {
		return
	}
	previous := path.Root("previous_tokens")
	for _, p := range s.previous {
		after := timeOf(p.RevokeAfter)
		if after.IsZero() || s.observed.Held || s.observed.Revoke.Before(after) || !s.observed.Revoke.Before(after.Add(overdueAfter)) {
			continue // not over yet, or warnOfOverdue reports it
		}
		diags.AddAttributeWarning(previous, "Replaced token will be revoked",
			fmt.Sprintf("The overlap of token %s ended at %s. The apply revokes it. The token that consumers read does not change.", p.ID.ValueString(), p.RevokeAfter.ValueString()))
	}
	for _, f := range s.ripeFormer(s.observed.Revoke) {
		diags.AddAttributeWarning(previous, "Former entry will be closed",
			fmt.Sprintf("The token moved from %s, and the overlap ended at %s. The apply revokes the tokens that remain there and closes the entry.", f.At, timeValue(f.Token.RevokeAfter).ValueString()))
	}
	if s.observed.Strays > 0 {
		diags.AddAttributeWarning(previous, "Unpublished tokens will be revoked",
			fmt.Sprintf("%d tokens were created for %s by interrupted runs and never published. The apply revokes them.", s.observed.Strays, s.have.at))
	}
	if c.repair {
		diags.AddAttributeWarning(path.Root("rotate_at"), "Metadata will be rewritten",
			fmt.Sprintf("The metadata of %s does not contain the schedule that Terraform wrote: someone changed it, or a run was interrupted. The apply rewrites the metadata. The token does not change.", s.have.at))
	}
}
