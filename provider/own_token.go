package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// refuseOwn adds an error if one of the tokens is, or may be, the provider's own, because
// revoking it would lock the provider out in the middle of its work. It asks PAIStrike
// once in a run, and only if something is to be revoked or taken over.
func (s *session) refuseOwn(ctx context.Context, summary string, diags *diag.Diagnostics, ids ...string) {
	client := s.client(diags)
	if diags.HasError() {
		return
	}
	own, err := client.Own(ctx)
	if err != nil {
		diags.AddError("The provider's own token cannot be identified", err.Error())
		return
	}
	for _, id := range ids {
		if id == "" || !own.May(id) {
			continue
		}
		is := "is"
		if own.ID() != id {
			is = "may be"
		}
		diags.AddError(summary, fmt.Sprintf("Token %s %s the provider's own token (api_token). Revoking it would lock the provider out, so the provider neither manages nor revokes it. Nothing was changed. To replace it, create another management token, set it as api_token, and then revoke this one.", id, is))
		return
	}
}
