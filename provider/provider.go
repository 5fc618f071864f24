// Package provider is the Terraform provider for PAIStrike API tokens: schemas, planning,
// thin create, read, update and delete methods, and diagnostics. It contains no HTTP and
// no protocol logic. Those are in internal/paistrike, the packages below internal/store,
// and internal/rotation, which do not depend on Terraform.
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

// surroundings is everything that the provider uses besides its configuration. Tests
// replace it; see [Option].
type surroundings struct {
	getenv  func(string) string
	homeDir func() (string, error)
	sleep   func(context.Context, time.Duration) error
	now     func() time.Time
}

// Option replaces a part of the provider's surroundings.
type Option func(*surroundings)

// WithGetenv sets the function that reads environment variables.
func WithGetenv(getenv func(string) string) Option {
	return func(s *surroundings) { s.getenv = getenv }
}

// WithHomeDir sets the function that returns the home directory, which may contain
// .vault-token.
func WithHomeDir(home func() (string, error)) Option {
	return func(s *surroundings) { s.homeDir = home }
}

// WithSleep sets the function that waits between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(s *surroundings) { s.sleep = sleep }
}

// WithNow sets this machine's clock, the third of the three time sources next to those of
// the servers.
func WithNow(now func() time.Time) Option { return func(s *surroundings) { s.now = now } }

// New returns a constructor of the provider. version is part of the User-Agent.
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

// Configure reads the configuration and creates a lazy session. It makes no calls. Unknown
// values are not an error here, because they are needed only at the first use.
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

// DataSources returns the data sources of the audit.
func (p *paistrikeProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newAPITokenDataSource, newAPITokensDataSource}
}

// EphemeralResources returns the resource for tokens that last for one run.
func (p *paistrikeProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newAPITokenEphemeral}
}

// ListResources returns the list resource for terraform query.
func (p *paistrikeProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newAPITokenList}
}

// Actions returns the actions that a user invokes once, outside the lifecycle of a
// resource.
func (p *paistrikeProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newRevokeAPITokenAction, newRotateAPITokenAction}
}
