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
	// planOnly says that PAIStrike is not called: plans rest on metadata alone.
	planOnly bool
	dial     func() (*paistrike.Client, error)
	connect  func() (connection, error)
	claims   claims
}

// connection is what a resource works with: the protocol, and the store that it was made
// for.
type connection struct {
	engine *rotation.Engine
	vault  *vault.Store
}

var (
	// errUnknownConfig says that the provider block is not known yet.
	errUnknownConfig = errors.New("part of the provider block is known only after apply")
	// errPlanOnly says what a provider that only plans cannot do.
	errPlanOnly = errors.New("plan_without_api is set, so PAIStrike is not called and nothing can be created, changed or looked up there. Unset it (PAISTRIKE_PLAN_WITHOUT_API) in the job that applies, and give api_token")
)

func newSession(ctx context.Context, m providerModel, version string, env surroundings, diags *diag.Diagnostics) *session {
	s := &session{planOnly: env.flag(m.PlanOnly, "PAISTRIKE_PLAN_WITHOUT_API")}
	var err error
	if s.policy, err = readTokenPolicy(ctx, m.TokenPolicy); err != nil {
		diags.AddAttributeError(path.Root("token_policy"), "Provider configuration is invalid", err.Error())
	}
	unknownAPI := anyUnknown(ctx, m.Endpoint, m.APIToken, m.APIPrefix, m.Headers, m.APIRoutes)
	s.unknown = unknownAPI && !s.planOnly || anyUnknown(ctx, m.Vault)
	s.dial = sync.OnceValues(func() (*paistrike.Client, error) {
		switch {
		case s.planOnly:
			return nil, errPlanOnly
		case unknownAPI:
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
		var tokens rotation.Tokens = rotation.Unasked{}
		if !s.planOnly {
			client, err := s.dial()
			if err != nil {
				return connection{}, err
			}
			tokens = rotation.PAIStrike{Client: client}
		}
		store, err := env.vaultConfig(ctx, m.Vault, version)
		if err != nil {
			return connection{}, err
		}
		return connectTo(tokens, store, env)
	})
	switch {
	case s.planOnly:
		diags.AddWarning("Plan without PAIStrike",
			"plan_without_api is set: the plan rests on the metadata in Vault alone. It does not see whether PAIStrike still accepts the tokens, whether somebody revoked one, and which replaced ones are due to be revoked.")
	case !unknownAPI:
		if _, err := s.dial(); err != nil { // once, and not at every resource
			diags.AddError("Provider configuration is invalid", err.Error())
		}
	}
	return s
}

func connectTo(tokens rotation.Tokens, config vault.Config, env surroundings) (connection, error) {
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
	return connection{engine: rotation.New(tokens, store, options...), vault: store}, nil
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

// mayChange adds an error if this provider only plans.
func (s *session) mayChange(summary string, diags *diag.Diagnostics) {
	if s != nil && s.planOnly {
		diags.AddError(summary, "Nothing was created or changed: "+errPlanOnly.Error()+".")
	}
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
