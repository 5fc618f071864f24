package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// importByName is the prefix of an import ID that contains the token's name.
const importByName = "name/"

// importID returns the token ID for an import. It rejects the provider's own token,
// because the next rotation would revoke it.
func (s *session) importID(ctx context.Context, text string, diags *diag.Diagnostics) string {
	label, named := strings.CutPrefix(text, importByName)
	if s.unknownAPI && !named {
		return text
	}
	if named {
		all := s.list(ctx, tokenFilter{status: "active"}, diags)
		if diags.HasError() {
			return ""
		}
		candidates := currentOf(labeled(all.tokens, label))
		switch len(candidates) {
		case 1:
			text = candidates[0].ID
		case 0:
			diags.AddError("Token not imported", fmt.Sprintf("No active token is named %q. To import an expired or revoked token, use its id.", label))
			return ""
		default:
			diags.AddError("Token not imported", fmt.Sprintf("%d tokens named %q work. Import one of them by its id:\n%s", len(candidates), label, describe(candidates, all.now)))
			return ""
		}
	}
	s.refuseOwn(ctx, "Token not imported", diags, text)
	return text
}

// labeled returns the tokens with a label, with or without the suffix of a rotation.
func labeled(tokens []paistrike.Token, label string) []paistrike.Token {
	var found []paistrike.Token
	for _, token := range tokens {
		if name, ok := rotation.ParseName(token.Name); token.Name == label || (ok && name.Label == label) {
			found = append(found, token)
		}
	}
	return found
}

// currentOf removes tokens in overlap: of the tokens of one entry, only the newest
// remains.
func currentOf(tokens []paistrike.Token) []paistrike.Token {
	newest := map[string]int{}
	for _, token := range tokens {
		if name, ok := rotation.ParseName(token.Name); ok {
			newest[name.Slot+name.Inc] = max(newest[name.Slot+name.Inc], name.Gen)
		}
	}
	var current []paistrike.Token
	for _, token := range tokens {
		if name, ok := rotation.ParseName(token.Name); !ok || name.Gen == newest[name.Slot+name.Inc] {
			current = append(current, token)
		}
	}
	return current
}
