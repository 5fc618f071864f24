// Package provider is the Terraform surface of PAIStrike API tokens: schemas, the
// plan rule, thin create-read-update-delete, and the wording of diagnostics. It
// holds no HTTP and no protocol logic; those are internal/paistrike,
// internal/store/vault and internal/rotation, which it calls and which know nothing of
// Terraform.
package provider

import (
	"context"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

var (
	_ provider.Provider                       = (*paistrikeProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*paistrikeProvider)(nil)
	_ provider.ProviderWithListResources      = (*paistrikeProvider)(nil)
	_ provider.ProviderWithActions            = (*paistrikeProvider)(nil)
)

type paistrikeProvider struct {
	version string
	env     surroundings
}

// surroundings is everything the provider takes from outside its configuration.
// Tests replace it; see [Option].
type surroundings struct {
	getenv  func(string) string
	homeDir func() (string, error)
	sleep   func(context.Context, time.Duration) error
	now     func() time.Time
}

// Option changes what the provider takes from its surroundings.
type Option func(*surroundings)

// WithGetenv sets where environment variables are read.
func WithGetenv(getenv func(string) string) Option {
	return func(s *surroundings) { s.getenv = getenv }
}

// WithHomeDir sets where ~/.vault-token is looked for.
func WithHomeDir(home func() (string, error)) Option {
	return func(s *surroundings) { s.homeDir = home }
}

// WithSleep sets how the provider waits between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(s *surroundings) { s.sleep = sleep }
}

// WithNow sets this machine's clock, the third witness of time beside the servers'.
func WithNow(now func() time.Time) Option { return func(s *surroundings) { s.now = now } }

// New returns a constructor of the provider. version stands in the User-Agent.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &paistrikeProvider{version: version, env: surroundings{getenv: os.Getenv, homeDir: os.UserHomeDir}}
		for _, option := range options {
			option(&p.env)
		}
		return p
	}
}

func (p *paistrikeProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "paistrike"
	resp.Version = p.version
}

func (p *paistrikeProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema()
}

// Configure reads the configuration and makes a lazy session. Nothing is called,
// and values that are not known yet are not an error: they are needed at the first use
// only.
func (p *paistrikeProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	s := newSession(ctx, model, p.version, p.env, &resp.Diagnostics)
	resp.ResourceData = s
	resp.DataSourceData = s
	resp.EphemeralResourceData = s
	resp.ListResourceData = s
	resp.ActionData = s
}

func (p *paistrikeProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newAPITokenResource}
}

// DataSources are the audit.
func (p *paistrikeProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newAPITokenDataSource, newAPITokensDataSource}
}

// EphemeralResources are tokens for the time of a run.
func (p *paistrikeProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newAPITokenEphemeral}
}

// ListResources are for terraform query.
func (p *paistrikeProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newAPITokenList}
}

// Actions are what a person does once, outside of any resource's life.
func (p *paistrikeProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newRevokeAPITokenAction, newRotateAPITokenAction}
}
