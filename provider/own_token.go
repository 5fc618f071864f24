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
		diags.AddError("The provider's own token is not known", err.Error())
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
		diags.AddError(summary, fmt.Sprintf("Token %s %s the one that the provider itself uses (api_token). Ending it would lock the provider out, so it is neither managed nor revoked by it, and nothing was changed. Replace it by hand: create another management token, set it as api_token, then revoke this one.", id, is))
		return
	}
}
