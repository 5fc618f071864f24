package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure = (*apiTokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*apiTokenEphemeral)(nil)
)

// Limits of an ephemeral token. If a run is killed, no one revokes its token, and only the
// expiry ends it.
const (
	ephemeralLifetime    = time.Hour
	maxEphemeralLifetime = 24 * time.Hour
	// ephemeralBudget limits a create and a cleanup, which are not canceled halfway.
	ephemeralBudget = time.Minute
	ephemeralKey    = "minted"
)

// apiTokenEphemeral creates a token for the duration of one plan or apply.
type apiTokenEphemeral struct{ session *session }

type apiTokenEphemeralModel struct {
	Name      types.String `tfsdk:"name"`
	ExpiresIn types.String `tfsdk:"expires_in"`
	Token     types.String `tfsdk:"token"`
	TokenID   types.String `tfsdk:"token_id"`
	TokenName types.String `tfsdk:"token_name"`
	ExpiresAt types.String `tfsdk:"expires_at"`
}

func newAPITokenEphemeral() ephemeral.EphemeralResource { return &apiTokenEphemeral{} }

func (e *apiTokenEphemeral) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_api_token"
}

func (e *apiTokenEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A PAIStrike API token for the duration of one Terraform run: every plan and every apply creates its own token and revokes it at the end. " +
			"It is in neither state nor plan, and does not need Vault. Do not store it anywhere: it is revoked when the run ends. For a lasting secret, use the resource. Requires Terraform 1.10 or OpenTofu 1.11, or newer.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, Validators: []validator.String{nameValidator{}},
				MarkdownDescription: "Purpose of the token, 1 to 60 characters. In PAIStrike, this name is followed by a unique suffix, so concurrent runs do not collide.",
			},
			"expires_in": schema.StringAttribute{
				Optional: true, Validators: []validator.String{ephemeralLifetimeValidator{}},
				MarkdownDescription: "Lifetime of the token if it is not revoked, for example because the run was killed: `1h` by default, at most `24h`. Choose a time longer than the run takes.",
			},
			"token":      schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: "The secret. It works until the run ends. Terraform accepts it only where values are not stored: in providers, provisioners, write-only arguments and other ephemeral values."},
			"token_id":   schema.StringAttribute{Computed: true, MarkdownDescription: "PAIStrike's id."},
			"token_name": schema.StringAttribute{Computed: true, MarkdownDescription: "Name in PAIStrike."},
			"expires_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it expires, RFC 3339 in UTC."},
		},
	}
}

func (e *apiTokenEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

// Open creates a token. It stores only the token's ID and name, for Close.
func (e *apiTokenEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model apiTokenEphemeralModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	client := e.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	lifetime := ephemeralLifetime
	if !model.ExpiresIn.IsNull() {
		lifetime = duration(model.ExpiresIn)
	}
	if most := e.session.policy.maxExpiresIn; most > 0 && lifetime > most {
		resp.Diagnostics.AddAttributeError(path.Root("expires_in"), "Token lives too long",
			fmt.Sprintf("It would live for %s, but the provider's token_policy allows at most %s.", schedule.FormatDuration(lifetime), schedule.FormatDuration(most)))
		return
	}
	minted, err := openToken(ctx, client, model.Name.ValueString(), lifetime)
	if err != nil {
		resp.Diagnostics.AddError("Ephemeral token not created", err.Error())
		return
	}
	model.Token, model.TokenID = types.StringValue(minted.Secret.Reveal()), types.StringValue(minted.ID)
	model.TokenName, model.ExpiresAt = types.StringValue(minted.Name), timeValue(minted.ExpiresAt)
	kept, err := json.Marshal(ephemeralMinted{ID: minted.ID, Name: minted.Name})
	if err != nil {
		resp.Diagnostics.AddError("Ephemeral token not created", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, ephemeralKey, kept)...)
	resp.Diagnostics.Append(resp.Result.Set(ctx, model)...)
}

// ephemeralMinted is the data about a token that Close needs.
type ephemeralMinted struct {
	ID   string `json:"id"`
	Name string `json:"name"` // as it was sent
}

// openToken creates a token with a unique name. It revokes a token that it cannot return.
func openToken(ctx context.Context, client *paistrike.Client, label string, lifetime time.Duration) (paistrike.Minted, error) {
	if _, known := client.ServerTime(); !known {
		if _, err := client.Self(ctx); err != nil {
			return paistrike.Minted{}, err
		}
	}
	now, known := client.ServerTime()
	if !known {
		return paistrike.Minted{}, errors.New("PAIStrike's responses have no Date header, and the expiry is counted from PAIStrike's clock. No token was created")
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), ephemeralBudget)
	defer cancel()
	name := rotation.RunName(label, strings.ToLower(rand.Text()[:16]))
	minted, err := paistrike.MintOnce(whole, client, name, now.Add(lifetime).Truncate(time.Second))
	switch {
	case err != nil:
		return paistrike.Minted{}, err
	case ctx.Err() != nil: // the caller no longer takes it, and would not close it
		return paistrike.Minted{}, errors.Join(ctx.Err(), endEphemeral(whole, client, minted.Token))
	case minted.ExpiresAt.IsZero():
		err := fmt.Errorf("token %s was created without the requested expiry", minted.ID)
		return paistrike.Minted{}, errors.Join(err, endEphemeral(whole, client, minted.Token))
	}
	return minted, nil
}

// endEphemeral revokes a token and returns an error that states the outcome.
func endEphemeral(ctx context.Context, client *paistrike.Client, token paistrike.Token) error {
	if err := client.End(ctx, token.ID, paistrike.Sent(token.Name)); err != nil {
		return err
	}
	return fmt.Errorf("token %s was revoked again", token.ID)
}

// Close revokes the token. It succeeds if the token is already revoked. A failure is only
// a warning, because the run's work is done and the token expires on its own.
func (e *apiTokenEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	minted, diags := readPrivate[ephemeralMinted](ctx, req.Private, ephemeralKey)
	resp.Diagnostics.Append(diags...)
	client := e.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() || minted.ID == "" {
		return
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), ephemeralBudget)
	defer cancel()
	if err := client.End(whole, minted.ID, paistrike.Sent(minted.Name)); err != nil {
		resp.Diagnostics.Append(diag.NewWarningDiagnostic("Ephemeral token not revoked",
			fmt.Sprintf("%s Revoke token %s in PAIStrike, or let it expire.\n\nCause: %s", stillWorks(err), minted.ID, err)))
	}
}

// stillWorks states what is known about a token that could not be revoked.
func stillWorks(err error) string {
	if unseen, ok := errors.AsType[*paistrike.NotRevokedError](err); ok && unseen.Seen == paistrike.StatusActive {
		return "The token still works."
	}
	return "It is not known whether the token still works."
}

type ephemeralLifetimeValidator struct{ described }

func (ephemeralLifetimeValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error {
		d, err := schedule.ParseDuration(text)
		if err == nil && d > maxEphemeralLifetime {
			err = fmt.Errorf("%s is longer than %s, the maximum for a token of one run", text, "24h")
		}
		return err
	})
}
