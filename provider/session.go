package provider

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// session is one configured provider. It makes its clients at the first use, each
// for itself: what only asks PAIStrike needs no Vault, and values that are not known
// yet do no harm.
type session struct {
	policy     tokenPolicy
	unknownAPI bool // what is needed to call PAIStrike is not known yet
	// planOnly says that PAIStrike is not called: plans rest on metadata alone.
	planOnly bool
	dial     func() (*paistrike.Client, error)
	stores   *stores
	claims   claims
	told     sync.Map // what is wrong with the configuration, as far as it has been said
}

var (
	// errUnknownConfig says that the provider block is not known yet.
	errUnknownConfig = errors.New("part of the provider block is known only after apply")
	// errPlanOnly says what a provider that only plans cannot do.
	errPlanOnly = errors.New("plan_without_api is set, so PAIStrike is not called and nothing can be created, changed or looked up there. Unset it (PAISTRIKE_PLAN_WITHOUT_API) in the job that applies, and set api_token")
)

func newSession(ctx context.Context, m providerModel, version string, env surroundings, diags *diag.Diagnostics) *session {
	s := &session{planOnly: env.flag(m.PlanOnly, "PAISTRIKE_PLAN_WITHOUT_API")}
	var err error
	if s.policy, err = readTokenPolicy(ctx, m.TokenPolicy); err != nil {
		diags.AddAttributeError(path.Root("token_policy"), "Provider configuration is invalid", err.Error())
	}
	s.unknownAPI = anyUnknown(ctx, m.Endpoint, m.APIToken, m.APIPrefix, m.Headers, m.APIRoutes)
	s.dial = sync.OnceValues(func() (*paistrike.Client, error) {
		switch {
		case s.planOnly:
			return nil, errPlanOnly
		case s.unknownAPI:
			return nil, errUnknownConfig
		}
		api, err := env.apiConfig(ctx, m, version)
		if err != nil {
			return nil, err
		}
		return paistrike.New(api)
	})
	s.stores = newStores(ctx, m, version, env, s.tokens)
	switch {
	case s.planOnly:
		diags.AddWarning("Plan without PAIStrike",
			"plan_without_api is set: the plan rests on the metadata in the store alone. It does not see whether PAIStrike still accepts the tokens, whether someone revoked one, and which replaced ones are due to be revoked.")
	case !s.unknownAPI:
		s.client(diags) // once, and not at every resource
	}
	return s
}

// tokens is PAIStrike as an engine calls it.
func (s *session) tokens() (rotation.Tokens, error) {
	if s.planOnly {
		return rotation.Unasked{}, nil
	}
	client, err := s.dial()
	if err != nil {
		return nil, err
	}
	return rotation.PAIStrike{Client: client}, nil
}

// unknown reports that what is needed for an entry is not known yet.
func (s *session) unknown(at entry.Location) bool {
	return s.unknownAPI && !s.planOnly || s.stores.of(at).unknown
}

// engine connects to PAIStrike and the store of an entry, or adds the reason why not.
func (s *session) engine(at entry.Location, diags *diag.Diagnostics) *rotation.Engine {
	return s.connection(at, diags).engine
}

// connection connects to PAIStrike and the store of an entry, or adds the reason why not.
func (s *session) connection(at entry.Location, diags *diag.Diagnostics) connection {
	return s.connectTo(s.stores.of(at), diags)
}

// connectionFor is a connection that knows what is wanted of the entry.
func (s *session) connectionFor(d desired, diags *diag.Diagnostics) connection {
	there, err := s.stores.open(d)
	addUnconnected(diags, err)
	return there
}

func (s *session) connectTo(p *place, diags *diag.Diagnostics) connection {
	there, err := p.connect()
	addUnconnected(diags, err)
	return there
}

// client connects to PAIStrike alone, or adds the reason why not.
func (s *session) client(diags *diag.Diagnostics) *paistrike.Client {
	client, err := s.dial()
	addUnconnected(diags, err)
	return client
}

// addUnconnected adds the reason why a server could not be connected to, if there is one.
func addUnconnected(diags *diag.Diagnostics, err error) {
	if err != nil {
		diags.Append(ofProvider{diag.NewErrorDiagnostic("Provider configuration is invalid", err.Error())})
	}
}

// ofProvider is an error of the provider's configuration: whatever needs that meets it.
type ofProvider struct{ diag.Diagnostic }

// tellOnce leaves an error of the provider's configuration to the first resource of a plan
// that meets it: one ends the plan, and forty would hide what else is wrong. It is not for
// an apply, in which each resource has to say that nothing came of it.
func (s *session) tellOnce(diags *diag.Diagnostics) {
	*diags = slices.DeleteFunc(*diags, func(d diag.Diagnostic) bool {
		wrong, ok := d.(ofProvider)
		if !ok {
			return false
		}
		_, before := s.told.LoadOrStore(wrong.Summary()+"\n"+wrong.Detail(), true)
		return before
	})
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
