package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// listed contains the account's tokens as PAIStrike listed them, and its time then.
type listed struct {
	tokens []paistrike.Token
	now    time.Time // zero if the server does not report it
}

// list reads every page from PAIStrike and returns the matching tokens. It reads them
// again each time, so that an audit after an apply sees its result.
func (s *session) list(ctx context.Context, f tokenFilter, diags *diag.Diagnostics) listed {
	client := s.client(diags)
	if diags.HasError() {
		return listed{}
	}
	tokens, err := client.List(ctx)
	if err != nil {
		diags.AddError("Tokens not listed", err.Error())
		return listed{}
	}
	now, ok := client.ServerTime()
	if !ok && f.needsClock() {
		diags.AddError("Tokens not listed", "PAIStrike's responses have no Date header, so it is not known which tokens have expired. The clock of this machine is not used, because PAIStrike's clock decides.")
		return listed{}
	}
	return listed{tokens: f.choose(tokens, now), now: now}
}

// tokenRow is a token in the data sources.
type tokenRow struct {
	ID            types.String `tfsdk:"id"`
	Name          types.String `tfsdk:"name"`
	CreatedAt     types.String `tfsdk:"created_at"`
	LastUsedAt    types.String `tfsdk:"last_used_at"`
	ExpiresAt     types.String `tfsdk:"expires_at"`
	ExpiresInDays types.Int64  `tfsdk:"expires_in_days"`
	Status        types.String `tfsdk:"status"`
	Managed       types.Bool   `tfsdk:"managed"`
}

func rowOf(t paistrike.Token, now time.Time) tokenRow {
	return tokenRow{
		ID: types.StringValue(t.ID), Name: types.StringValue(t.Name),
		CreatedAt: timeValue(t.CreatedAt), LastUsedAt: timeValue(t.LastUsedAt), ExpiresAt: timeValue(t.ExpiresAt),
		ExpiresInDays: daysLeft(t.ExpiresAt, now), Status: types.StringValue(statusAt(t, now)), Managed: types.BoolValue(isManaged(t)),
	}
}

// displayName returns a description by which a user recognizes a token.
func displayName(t paistrike.Token, now time.Time) string {
	return fmt.Sprintf("%s (%s) %s", t.Name, t.ID, statusAt(t, now))
}

// describe lists tokens in an error.
func describe(tokens []paistrike.Token, now time.Time) string {
	var lines []string
	for _, t := range tokens {
		lines = append(lines, "  - "+displayName(t, now))
	}
	return strings.Join(lines, "\n")
}
