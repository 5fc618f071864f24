package provider

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var (
	_ resource.Resource                   = (*apiTokenResource)(nil)
	_ resource.ResourceWithConfigure      = (*apiTokenResource)(nil)
	_ resource.ResourceWithValidateConfig = (*apiTokenResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*apiTokenResource)(nil)
	_ resource.ResourceWithIdentity       = (*apiTokenResource)(nil)
	_ resource.ResourceWithImportState    = (*apiTokenResource)(nil)
)

type apiTokenResource struct{ session *session }

// identityModel is the identity of the resource: its current token. It changes with every
// rotation, which MutableIdentity permits.
type identityModel struct {
	TokenID types.String `tfsdk:"token_id"`
}

func newAPITokenResource() resource.Resource { return &apiTokenResource{} }

func (r *apiTokenResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_api_token"
	resp.ResourceBehavior.MutableIdentity = true
}

func (r *apiTokenResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = apiTokenSchema()
}

func (r *apiTokenResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"token_id": identityschema.StringAttribute{RequiredForImport: true, Description: "PAIStrike's id of the current token."},
	}}
}

func (r *apiTokenResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig checks combinations of attributes. Unknown values are checked when they
// are known.
func (r *apiTokenResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.Config, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	config.validate(ctx, &resp.Diagnostics)
	config.warnOfPath(ctx, &resp.Diagnostics)
}

// Create mints the first token. A failed create leaves no state: a token that it may have
// minted has its generation in its name, and the next run adopts or revokes it.
func (r *apiTokenResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.Plan, &plan)...)
	r.session.mayChange("Token not created", &resp.Diagnostics)
	want, diags := plan.desired(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	engine := r.session.connectionFor(want, &resp.Diagnostics).engine
	if resp.Diagnostics.HasError() {
		return
	}
	owner := newOwner()
	request := want.request(owner, rotation.Rotate, schedule.ReasonCreated, "")
	request.Seen = r.session.claims.sight(want.at)
	result, err := engine.Run(ctx, request)
	addNotes(&resp.Diagnostics, result.Notes)
	if err != nil {
		addFailure(&resp.Diagnostics, "Token not created", err)
		return
	}
	plan.ID = types.StringValue(owner)
	plan.fill(result, nil)
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, observedKey, observedAt(result.Clock).stamp(plan))...)
	resp.Diagnostics.Append(set(ctx, &resp.State, plan)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, plan)...)
}

// Read refreshes the state from the store's metadata and PAIStrike's list. It writes
// nothing and never reads the secret.
func (r *apiTokenResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer r.session.tellOnce(&resp.Diagnostics)
	var state apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, state)...)
	have, diags := state.desired(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.session.unknown(have.at) {
		return
	}
	engine := r.session.engine(have.at, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	before, diags := readPrivate[observed](ctx, req.Private, observedKey)
	resp.Diagnostics.Append(diags...)
	former, diags := readPrivate[[]formerEntry](ctx, req.Private, formerKey)
	resp.Diagnostics.Append(diags...)
	from, diags := readPrivate[imports](ctx, req.Private, importedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	fresh := refresh(ctx, engine, state, have, before, former, from, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if fresh.gone {
		resp.State.RemoveResource(ctx)
		return
	}
	if !fresh.imported.isZero() {
		resp.Diagnostics.Append(writePrivate(ctx, resp.Private, importedKey, fresh.imported)...)
	}
	if fresh.restamp {
		resp.Diagnostics.Append(writePrivate(ctx, resp.Private, observedKey, fresh.observed)...)
	}
	fresh.state.withDefaults(ctx, fresh.state, &resp.Diagnostics)
	resp.Diagnostics.Append(set(ctx, &resp.State, fresh.state)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, fresh.state)...)
}

// Update carries out what the plan showed: a rotation, the end of an overlap, or a new
// schedule in custom metadata.
func (r *apiTokenResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	seen, diags := readPrivate[observed](ctx, req.Private, observedKey)
	resp.Diagnostics.Append(diags...)
	former, diags := readPrivate[[]formerEntry](ctx, req.Private, formerKey)
	resp.Diagnostics.Append(diags...)
	from, diags := readPrivate[imports](ctx, req.Private, importedKey)
	resp.Diagnostics.Append(diags...)
	r.session.mayChange("Token not updated", &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	s, err := newSituation(ctx, plan, state, seen, former, from)
	if err != nil {
		addFailure(&resp.Diagnostics, "Token not updated", err)
		return
	}
	there := r.session.connectionFor(s.want, &resp.Diagnostics)
	if planChange(s).retire {
		r.session.refuseOwn(ctx, "Token not updated", &resp.Diagnostics, state.previousIDs(ctx)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	u := update{session: r.session, engine: there.engine, situation: s, plan: plan, state: state, from: from}
	err = u.apply(ctx, &resp.Diagnostics)
	if err == nil {
		err = there.retag(ctx, s)
	}
	if err != nil {
		addFailure(&resp.Diagnostics, "Token not updated", err)
		return
	}
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, observedKey, u.observed.stamp(u.plan))...)
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, formerKey, u.former)...)
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, importedKey, u.from)...)
	resp.Diagnostics.Append(set(ctx, &resp.State, u.plan)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, u.plan)...)
}

// Delete closes the entry and revokes its tokens. If another resource has taken the entry
// over, its token is left alone.
func (r *apiTokenResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	former, diags := readPrivate[[]formerEntry](ctx, req.Private, formerKey)
	resp.Diagnostics.Append(diags...)
	from, diags := readPrivate[imports](ctx, req.Private, importedKey)
	resp.Diagnostics.Append(diags...)
	r.session.mayChange("Token not destroyed", &resp.Diagnostics)
	have, diags := state.desired(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ids := append(state.previousIDs(ctx), state.TokenID.ValueString())
	refuseDestroy(ctx, req.State, &resp.Diagnostics)
	r.session.refuseOwn(ctx, "Token not destroyed", &resp.Diagnostics, ids...)
	if resp.Diagnostics.HasError() {
		return
	}
	end := func(at entry.Location, name string, ids ...string) rotation.DestroyRequest {
		return rotation.DestroyRequest{
			At: at, Owner: state.ID.ValueString(), TokenIDs: ids, TokenName: name, Imported: from.Tokens, Ending: have.onDestroy, Adopt: have.adopt,
		}
	}
	for _, f := range former {
		if f.At.Entry() != have.at.Entry() {
			there := r.session.connectionFor(f.desired(), &resp.Diagnostics)
			destroyEntry(ctx, there.engine, end(f.At, f.Token.Name, f.Token.ID), false, &resp.Diagnostics)
		}
	}
	there := r.session.connectionFor(have, &resp.Diagnostics)
	destroyEntry(ctx, there.engine, end(have.at, state.TokenName.ValueString(), ids...), !state.hasPlace(), &resp.Diagnostics)
}

func destroyEntry(ctx context.Context, engine *rotation.Engine, request rotation.DestroyRequest, noEntry bool, diags *diag.Diagnostics) {
	if engine == nil {
		return // its store could not be connected to, which was reported
	}
	destroy := engine.Destroy
	if noEntry {
		destroy = engine.RevokeOnly // imported and never applied: there is no entry yet
	}
	result, err := destroy(ctx, request)
	addNotes(diags, result.Notes)
	if err != nil {
		addFailure(diags, "Token not destroyed", err)
	}
}

// ImportState accepts an entry of a store, a token ID, or a name. For an ID or a name, the
// first plan compares the token with the configured entry.
func (r *apiTokenResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := req.ID
	if id == "" && req.Identity != nil {
		var identity identityModel
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		id = identity.TokenID.ValueString()
	}
	if strings.HasPrefix(id, importFromVault) || strings.HasPrefix(id, importFromAWS) {
		r.importEntry(ctx, id, resp)
		return
	}
	if id = r.session.importID(ctx, id, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), newOwner())...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("token_id"), id)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, apiTokenModel{TokenID: types.StringValue(id)})...)
}

func (r *apiTokenResource) importEntry(ctx context.Context, id string, resp *resource.ImportStateResponse) {
	model := r.session.importEntry(ctx, id, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	model.ID = types.StringValue(newOwner())
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, importedKey, imports{Claim: true})...)
	resp.Diagnostics.Append(set(ctx, &resp.State, model)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, model)...)
}

// newOwner returns an ID for a resource. The record of its entry names it as the owner.
func newOwner() string { return strings.ToLower(rand.Text()) }

// setIdentity must be called whenever a state is set. Otherwise Terraform before 1.12
// reports a missing identity after an update.
func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, m apiTokenModel) diag.Diagnostics {
	if identity == nil || m.TokenID.IsNull() || m.TokenID.IsUnknown() {
		return nil
	}
	return identity.Set(ctx, identityModel{TokenID: m.TokenID})
}
