package provider

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/vaultkv"
)

// session is one configured provider. It makes its clients at the first use, so
// that configuring costs nothing and values that are not known yet do no harm.
type session struct {
	policy  tokenPolicy
	unknown bool // part of the provider block is not known yet
	connect func() (*rotation.Engine, error)
}

// errUnknownConfig says that the provider block is not known yet.
var errUnknownConfig = errors.New("part of the provider block is known only after apply")

func newSession(ctx context.Context, m providerModel, version string, env surroundings, diags *diag.Diagnostics) *session {
	s := &session{}
	var err error
	if s.policy, err = readTokenPolicy(ctx, m.TokenPolicy); err != nil {
		diags.AddAttributeError(path.Root("token_policy"), "Provider configuration is invalid", err.Error())
	}
	s.unknown = anyUnknown(ctx, m.Endpoint, m.APIToken, m.APIPrefix, m.Headers, m.APIRoutes, m.Vault)
	s.connect = sync.OnceValues(func() (*rotation.Engine, error) {
		if s.unknown {
			return nil, errUnknownConfig
		}
		api, err := env.apiConfig(ctx, m, version)
		if err != nil {
			return nil, err
		}
		store, err := env.vaultConfig(ctx, m.Vault, version)
		if err != nil {
			return nil, err
		}
		return newEngine(api, store, env)
	})
	return s
}

func newEngine(api paistrike.Config, store vaultkv.Config, env surroundings) (*rotation.Engine, error) {
	client, err := paistrike.New(api)
	if err != nil {
		return nil, err
	}
	vault, err := vaultkv.New(store)
	if err != nil {
		return nil, err
	}
	var options []rotation.Option
	if env.sleep != nil {
		options = append(options, rotation.WithSleep(env.sleep))
	}
	return rotation.New(rotation.PAIStrike{Client: client}, vault, options...), nil
}

// engine connects, or adds the reason why not.
func (s *session) engine(diags *diag.Diagnostics) *rotation.Engine {
	engine, err := s.connect()
	if err != nil {
		diags.AddError("Provider configuration is invalid", err.Error())
	}
	return engine
}
