package provider

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

type apiTokenModel struct {
	Name      types.String `tfsdk:"name"`
	ExpiresIn types.String `tfsdk:"expires_in"`
	ExpiresAt types.String `tfsdk:"expires_at"`
	Rotation  types.Object `tfsdk:"rotation"`
	Vault     types.Object `tfsdk:"vault"`
	AWS       types.Object `tfsdk:"aws_secrets_manager"`

	DeletionProtection types.Bool `tfsdk:"deletion_protection"`

	ID             types.String `tfsdk:"id"`
	TokenID        types.String `tfsdk:"token_id"`
	TokenName      types.String `tfsdk:"token_name"`
	CreatedAt      types.String `tfsdk:"created_at"`
	Status         types.String `tfsdk:"status"`
	RotateAt       types.String `tfsdk:"rotate_at"`
	RotationReason types.String `tfsdk:"rotation_reason"`
	SecretVersion  types.Int64  `tfsdk:"secret_version"`
	PreviousTokens types.List   `tfsdk:"previous_tokens"`
}

type rotationModel struct {
	Period       types.String `tfsdk:"period"`
	Schedule     types.String `tfsdk:"schedule"`
	Timezone     types.String `tfsdk:"timezone"`
	Window       types.String `tfsdk:"window"`
	BeforeExpiry types.String `tfsdk:"before_expiry"`
	Overlap      types.String `tfsdk:"overlap"`
	Jitter       types.String `tfsdk:"jitter"`
	RetireIdle   types.Bool   `tfsdk:"retire_when_idle"`
	Triggers     types.Map    `tfsdk:"triggers"`
	OnRevoked    types.String `tfsdk:"on_revoked"`
	RevokePrev   types.String `tfsdk:"revoke_previous"`
}

type tokenVaultModel struct {
	Mount     types.String `tfsdk:"mount"`
	Path      types.String `tfsdk:"path"`
	Namespace types.String `tfsdk:"namespace"`
	Key       types.String `tfsdk:"key"`
	Adopt     types.Bool   `tfsdk:"adopt"`
	OnDestroy types.String `tfsdk:"on_destroy"`
}

type previousTokenModel struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
	RevokeAfter types.String `tfsdk:"revoke_after"`
}

// desired is a configuration or a state in the terms of package rotation.
type desired struct {
	label     string
	policy    schedule.Policy
	schedule  schedule.Schedule
	at        entry.Location
	settings  storeSettings
	adopt     bool
	onDestroy entry.Ending
	triggers  string // canonical text of the map
	incident  string // the value of revoke_previous
}

// known reports whether everything that desired needs is known.
func (m apiTokenModel) known(ctx context.Context) bool {
	values := []attr.Value{m.Name, m.ExpiresIn, m.Rotation, m.Vault, m.AWS}
	if m.ExpiresIn.IsNull() {
		values = append(values, m.ExpiresAt)
	}
	return !anyUnknown(ctx, values...)
}

// desired converts a known model. The model must have passed the validators.
func (m apiTokenModel) desired(ctx context.Context) (desired, diag.Diagnostics) {
	d := desired{label: m.Name.ValueString(), onDestroy: entry.EndDelete}
	d.readVault(m.Vault)
	d.readRotation(m)
	return d, d.readAWS(ctx, m.AWS)
}

func (d *desired) readVault(object types.Object) {
	if object.IsNull() {
		return
	}
	v := fromObject[tokenVaultModel](object)
	d.at = entry.Location{Namespace: v.Namespace.ValueString(), Mount: v.Mount.ValueString(), Path: v.Path.ValueString(), Key: v.Key.ValueString()}
	d.readEnds(v.Adopt, v.OnDestroy)
}

// readEnds reads the settings that both stores share: how an entry begins and ends.
func (d *desired) readEnds(adopt types.Bool, onDestroy types.String) {
	d.adopt = adopt.ValueBool()
	if how := onDestroy.ValueString(); how != "" {
		d.onDestroy = entry.Ending(how)
	}
}

// hasPlace reports whether the location of the secret is known. It is not known for a
// token that was only imported.
func (m apiTokenModel) hasPlace() bool { return !m.Vault.IsNull() || !m.AWS.IsNull() }

// storeAttribute returns the path of the attribute with the location.
func (m apiTokenModel) storeAttribute() path.Path {
	if !m.AWS.IsNull() {
		return path.Root("aws_secrets_manager")
	}
	return path.Root("vault")
}

// readRotation reads expiry and rotation. If a text is invalid, the policy is the zero
// value: the validators have reported the text.
func (d *desired) readRotation(m apiTokenModel) {
	end, _ := parseInstant(m.ExpiresAt.ValueString())
	d.schedule = schedule.Schedule{ExpiresIn: m.ExpiresIn.ValueString()}
	if d.schedule.ExpiresIn != "" {
		end = time.Time{}
	}
	if m.Rotation.IsNull() {
		d.policy, _ = d.schedule.Policy(end)
		return
	}
	r := fromObject[rotationModel](m.Rotation)
	d.triggers, d.incident = canonical(r.Triggers), r.RevokePrev.ValueString()
	d.schedule, d.policy, _ = r.schedule(d.schedule.ExpiresIn).Complete(end)
}

// schedule returns the block as a store keeps it.
func (r rotationModel) schedule(expiresIn string) schedule.Schedule {
	s := schedule.Schedule{
		ExpiresIn: expiresIn, Period: r.Period.ValueString(), Cron: r.Schedule.ValueString(), Timezone: r.Timezone.ValueString(),
		Window: r.Window.ValueString(), BeforeExpiry: r.BeforeExpiry.ValueString(), Overlap: r.Overlap.ValueString(),
		Jitter: r.Jitter.ValueString(), OnRevoked: r.OnRevoked.ValueString(),
	}
	if r.RetireIdle.ValueBool() {
		s.RetireIdle = "true"
	}
	return s
}

func duration(s types.String) time.Duration {
	d, err := schedule.ParseDuration(s.ValueString())
	if err != nil {
		return 0
	}
	return d
}

// canonical returns a map as text, which is equal for equal content.
func canonical(m types.Map) string {
	var parts []string
	for key, value := range m.Elements() {
		parts = append(parts, types.StringValue(key).String()+"="+value.String())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// intent returns everything in the rotation block that requests a token. It includes the
// incident, so that a rerun after a kill recognizes whether it was handled.
func (d desired) intent() string {
	if d.incident == "" {
		return d.triggers
	}
	return d.triggers + "\x00" + d.incident
}

// request returns the request for a desired token.
func (d desired) request(owner string, wish rotation.Wish, reason schedule.Reason, replaces string) rotation.Request {
	return rotation.Request{
		At: d.at, Label: d.label, Policy: d.policy, Schedule: d.schedule, Owner: owner,
		Triggers: d.intent(), Adopt: d.adopt, Wish: wish, Reason: reason, Replaces: replaces,
	}
}

// fill sets the computed attributes from the result of a run. It keeps known planned
// values, as Terraform requires.
func (m *apiTokenModel) fill(result rotation.Result, former []formerEntry) {
	set := func(field *types.String, value types.String) {
		if field.IsUnknown() {
			*field = value
		}
	}
	set(&m.TokenID, types.StringValue(result.TokenID))
	set(&m.TokenName, types.StringValue(result.TokenName))
	set(&m.CreatedAt, timeValue(result.CreatedAt))
	set(&m.ExpiresAt, timeValue(result.ExpiresAt))
	set(&m.Status, statusValue(result.Status, result.ExpiresAt, result.Clock))
	set(&m.RotateAt, timeValue(result.Verdict.Next))
	set(&m.RotationReason, types.StringValue(string(result.Reason)))
	if m.SecretVersion.IsUnknown() {
		m.SecretVersion = types.Int64Value(int64(result.Gen))
	}
	if m.PreviousTokens.IsUnknown() {
		m.PreviousTokens = previousTokens(result.Retiring, former)
	}
}

// statusValue returns the status of a token. In addition to PAIStrike's statuses there is
// "expired": PAIStrike still reports such a token as "active".
func statusValue(status paistrike.Status, expires time.Time, clock schedule.Clock) types.String {
	token := paistrike.Token{Status: status, ExpiresAt: expires}
	if status == paistrike.StatusActive && token.Expired(clock.PAIStrike) {
		return types.StringValue("expired")
	}
	return types.StringValue(string(status))
}

// timeValue returns a time in UTC, or null for the zero time.
func timeValue(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// timeOf parses what timeValue returned.
func timeOf(s types.String) time.Time {
	t, err := parseInstant(s.ValueString())
	if err != nil {
		return time.Time{}
	}
	return t
}

// previousTokens returns the tokens in overlap and those of former entries, ordered by ID.
func previousTokens(retiring []entry.Retiring, former []formerEntry) types.List {
	all := slices.Clone(retiring)
	for _, f := range former {
		all = append(all, f.tokens()...)
	}
	slices.SortFunc(all, func(a, b entry.Retiring) int { return strings.Compare(a.ID, b.ID) })
	elements := make([]attr.Value, 0, len(all))
	for _, r := range all {
		elements = append(elements, types.ObjectValueMust(previousTokenType.AttrTypes, map[string]attr.Value{
			"id": types.StringValue(r.ID), "name": types.StringValue(r.Name),
			"expires_at": timeValue(r.ExpiresAt), "revoke_after": timeValue(r.RevokeAfter),
		}))
	}
	return types.ListValueMust(previousTokenType, elements)
}

// previous converts the list back.
func (m apiTokenModel) previous(ctx context.Context) []previousTokenModel {
	var list []previousTokenModel
	if m.PreviousTokens.IsNull() || m.PreviousTokens.IsUnknown() {
		return nil
	}
	m.PreviousTokens.ElementsAs(ctx, &list, false)
	return list
}
