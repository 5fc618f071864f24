package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// importFromVault is the prefix of an import ID for an entry of Vault, such as
// "vault/secret/ci/paistrike?namespace=team".
const importFromVault = "vault/"

// importFromAWS is the prefix of an import ID for a secret of AWS, such as
// "aws/eu-central-1/ci/paistrike".
const importFromAWS = "aws/"

// importEntry fills in a resource from the entry that an import names, as far as metadata
// allows: an import sees no configuration and reads no secret. The resource owns the entry
// after its first apply.
func (s *session) importEntry(ctx context.Context, id string, diags *diag.Diagnostics) apiTokenModel {
	const failed = "Entry not imported"
	at, err := s.locate(ctx, id)
	if err != nil {
		addFailure(diags, failed, err)
		return apiTokenModel{}
	}
	there := s.connection(at, diags)
	if diags.HasError() {
		return apiTokenModel{}
	}
	seen, err := there.engine.Look(ctx, at)
	if err == nil {
		err = seen.Obstacle()
	}
	switch {
	case err != nil:
		addFailure(diags, failed, err)
	case seen.Stale():
		diags.AddError(failed, fmt.Sprintf("The metadata of %s does not describe its current version, so it is not known which token the entry serves. Nothing was imported. Run the rotate action (paistrike-action rotate), which rewrites the metadata from the record, and then import again.", at))
	case !seen.Serves():
		diags.AddError(failed, fmt.Sprintf("%s serves no token that paistrike published, so there is nothing to import. To create one there, write the resource and apply it.", at))
	case !s.planOnly:
		s.refuseOwn(ctx, failed, diags, seen.Mirror.TokenID)
	}
	if diags.HasError() {
		return apiTokenModel{}
	}
	return modelOf(there, seen, diags)
}

// locate parses the ID of an entry. Only Vault knows which part of the path is the mount.
func (s *session) locate(ctx context.Context, id string) (entry.Location, error) {
	if secret, ok := strings.CutPrefix(id, importFromAWS); ok {
		region, name, _ := strings.Cut(secret, "/")
		if aws.CheckRegion(region) != nil || aws.CheckName(name) != nil {
			return entry.Location{}, fmt.Errorf("%q is not the id of a secret. Write it as aws/REGION/NAME", id)
		}
		return entry.Location{Region: region, Path: name}, nil
	}
	name, query, _ := strings.Cut(strings.TrimPrefix(id, importFromVault), "?")
	options, err := url.ParseQuery(query)
	if err != nil || len(options) > 1 || len(options) == 1 && !options.Has("namespace") {
		return entry.Location{}, fmt.Errorf("%q is not the id of an entry. Write it as vault/MOUNT/PATH, or vault/MOUNT/PATH?namespace=NAMESPACE", id)
	}
	there, err := s.stores.vault.connect()
	if err != nil {
		return entry.Location{}, err
	}
	return there.vault.Locate(ctx, options.Get("namespace"), name)
}

// modelOf returns the resource for what an entry serves. It sets one of expires_in and
// expires_at, as a configuration must.
func modelOf(there connection, seen rotation.Sight, diags *diag.Diagnostics) apiTokenModel {
	mirror := seen.Mirror
	m := apiTokenModel{
		Name: types.StringValue(rotation.Label(mirror.TokenName)), ExpiresIn: textOrNull(mirror.Schedule.ExpiresIn),
		TokenID: types.StringValue(mirror.TokenID), TokenName: types.StringValue(mirror.TokenName),
		PreviousTokens: previousTokens(nil, nil),
	}
	switch {
	case mirror.Schedule.ExpiresIn != "":
	case mirror.ExpiresAt.IsZero():
		m.ExpiresIn = types.StringValue(schedule.Never)
	default:
		m.ExpiresAt = timeValue(mirror.ExpiresAt)
	}
	m.Rotation = objectOf("rotation", rotationOf(mirror.Schedule), diags)
	m.setPlace(there, seen.At, mirror.Key, diags)
	return m
}

// rotationOf returns the rotation block for a schedule, or nil if there was none.
func rotationOf(s schedule.Schedule) *rotationModel {
	if s == (schedule.Schedule{ExpiresIn: s.ExpiresIn}) {
		return nil
	}
	r := &rotationModel{
		Period: textOrNull(s.Period), Schedule: textOrNull(s.Cron), Timezone: textOrNull(s.Timezone), Window: textOrNull(s.Window),
		BeforeExpiry: textOrNull(s.BeforeExpiry), Overlap: textOrNull(s.Overlap), Jitter: textOrNull(s.Jitter),
		OnRevoked: textOrNull(s.OnRevoked), Triggers: types.MapNull(types.StringType),
	}
	if s.RetireIdle == "true" {
		r.RetireIdle = types.BoolValue(true)
	}
	return r
}

func vaultOf(at entry.Location, key string) *tokenVaultModel {
	return &tokenVaultModel{
		Mount: types.StringValue(at.Mount), Path: types.StringValue(at.Path), Namespace: textOrNull(at.Namespace),
		Key: types.StringValue(cmp.Or(key, entry.DefaultKey)),
	}
}

// objectOf returns a block of the resource, or null for nil.
func objectOf[T any](block string, value *T, diags *diag.Diagnostics) types.Object {
	of := blockType(block)
	if value == nil {
		return types.ObjectNull(of)
	}
	object, more := toObject(of, *value)
	diags.Append(more...)
	return object
}

func textOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
