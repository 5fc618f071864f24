package provider

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// ownToken remembers which token the provider itself uses. It is asked for once in
// a run, and only when something is about to end or to be taken over.
type ownToken struct {
	mu    sync.Mutex
	asked bool
	id    string // "" where the server has no way to tell
}

// ownTokenID gives the id of the token that the provider uses, "" where the server
// cannot say.
func (s *session) ownTokenID(ctx context.Context, diags *diag.Diagnostics) string {
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	if s.own.asked {
		return s.own.id
	}
	client := s.client(diags)
	if diags.HasError() {
		return ""
	}
	self, err := client.Self(ctx)
	switch paistrike.StatusOf(err) {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		err = nil // this server does not say who asks
	}
	if err != nil {
		diags.AddError("The provider's own token is not known", err.Error())
		return ""
	}
	s.own.asked, s.own.id = true, self.ID
	return s.own.id
}

// refuseOwn adds an error where one of the tokens is the provider's own: to end it
// is to lock the provider out, in the middle of its work.
func (s *session) refuseOwn(ctx context.Context, summary string, diags *diag.Diagnostics, ids ...string) {
	own := s.ownTokenID(ctx, diags)
	if own != "" && slices.Contains(ids, own) {
		diags.AddError(summary, fmt.Sprintf("Token %s is the one that the provider itself uses (api_token). Ending it would lock the provider out, so it is neither managed nor revoked by it, and nothing was changed. Replace it by hand: create another management token, give it to the provider, then revoke this one.", own))
	}
}
