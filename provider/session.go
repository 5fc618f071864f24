package provider

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// session is one configured provider. It makes its clients at the first use, each
// for itself: what only asks PAIStrike needs no Vault, and values that are not known
// yet do no harm.
type session struct {
	policy  tokenPolicy
	unknown bool // part of the provider block is not known yet
	dial    func() (*paistrike.Client, error)
	connect func() (connection, error)
	own     ownToken
	claims  claims
}

// connection is what a resource works with: the protocol, and the store that it was made
// for.
type connection struct {
	engine *rotation.Engine
	vault  *vault.Store
}

// errUnknownConfig says that the provider block is not known yet.
var errUnknownConfig = errors.New("part of the provider block is known only after apply")

func newSession(ctx context.Context, m providerModel, version string, env surroundings, diags *diag.Diagnostics) *session {
	s := &session{}
	var err error
	if s.policy, err = readTokenPolicy(ctx, m.TokenPolicy); err != nil {
		diags.AddAttributeError(path.Root("token_policy"), "Provider configuration is invalid", err.Error())
	}
	unknownAPI := anyUnknown(ctx, m.Endpoint, m.APIToken, m.APIPrefix, m.Headers, m.APIRoutes)
	s.unknown = unknownAPI || anyUnknown(ctx, m.Vault)
	s.dial = sync.OnceValues(func() (*paistrike.Client, error) {
		if unknownAPI {
			return nil, errUnknownConfig
		}
		api, err := env.apiConfig(ctx, m, version)
		if err != nil {
			return nil, err
		}
		return paistrike.New(api)
	})
	s.connect = sync.OnceValues(func() (connection, error) {
		if s.unknown {
			return connection{}, errUnknownConfig
		}
		client, err := s.dial()
		if err != nil {
			return connection{}, err
		}
		store, err := env.vaultConfig(ctx, m.Vault, version)
		if err != nil {
			return connection{}, err
		}
		return connectTo(client, store, env)
	})
	return s
}

func connectTo(client *paistrike.Client, config vault.Config, env surroundings) (connection, error) {
	there, err := vault.New(config)
	if err != nil {
		return connection{}, err
	}
	var options []rotation.Option
	if env.sleep != nil {
		options = append(options, rotation.WithSleep(env.sleep))
	}
	if env.now != nil {
		options = append(options, rotation.WithNow(env.now))
	}
	store := vault.NewStore(there)
	return connection{engine: rotation.New(rotation.PAIStrike{Client: client}, store, options...), vault: store}, nil
}

// engine connects to both servers, or adds the reason why not.
func (s *session) engine(diags *diag.Diagnostics) *rotation.Engine { return s.connection(diags).engine }

// connection connects to both servers, or adds the reason why not.
func (s *session) connection(diags *diag.Diagnostics) connection {
	there, err := s.connect()
	if err != nil {
		diags.AddError("Provider configuration is invalid", err.Error())
	}
	return there
}

// client connects to PAIStrike alone, or adds the reason why not.
func (s *session) client(diags *diag.Diagnostics) *paistrike.Client {
	client, err := s.dial()
	if err != nil {
		diags.AddError("Provider configuration is invalid", err.Error())
	}
	return client
}

// sessionOf takes the session out of what the provider hands to its parts. It is nil
// while the provider is not configured, as in a validation.
func sessionOf(data any, diags *diag.Diagnostics) *session {
	if data == nil {
		return nil
	}
	s, ok := data.(*session)
	if !ok {
		diags.AddError("Provider data has the wrong type", "This is a bug in the provider.")
	}
	return s
}
