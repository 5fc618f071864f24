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

// session is one configured provider. It creates each client at its first use, so that
// what needs only PAIStrike does not need Vault, and unknown values do no harm.
type session struct {
	policy     tokenPolicy
	unknownAPI bool // something that is needed to call PAIStrike is unknown
	// planOnly is true if PAIStrike is not called: plans depend on metadata alone.
	planOnly bool
	dial     func() (*paistrike.Client, error)
	stores   *stores
	claims   claims
	told     sync.Map // the problems of the configuration that were already reported
}

var (
	// errUnknownConfig reports that the provider block is not completely known.
	errUnknownConfig = errors.New("part of the provider block is known only after apply")
	// errPlanOnly states what a provider that only plans cannot do.
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
			"plan_without_api is set, so the plan is based only on the metadata in the store. It does not show whether PAIStrike still accepts the tokens, whether someone revoked one, or which replaced tokens are due to be revoked.")
	case !s.unknownAPI:
		s.client(diags) // once, and not for every resource
	}
	return s
}

// tokens returns PAIStrike as an engine calls it.
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

// unknown reports whether something that an entry needs is unknown.
func (s *session) unknown(at entry.Location) bool {
	return s.unknownAPI && !s.planOnly || s.stores.of(at).unknown
}

// engine connects to PAIStrike and the store of an entry, or adds an error.
func (s *session) engine(at entry.Location, diags *diag.Diagnostics) *rotation.Engine {
	return s.connection(at, diags).engine
}

// connection connects to PAIStrike and the store of an entry, or adds an error.
func (s *session) connection(at entry.Location, diags *diag.Diagnostics) connection {
	return s.connectTo(s.stores.of(at), diags)
}

// connectionFor returns a connection with the settings of the desired entry.
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

// client connects to PAIStrike alone, or adds an error.
func (s *session) client(diags *diag.Diagnostics) *paistrike.Client {
	client, err := s.dial()
	addUnconnected(diags, err)
	return client
}

// addUnconnected adds an error if a server could not be connected to.
func addUnconnected(diags *diag.Diagnostics, err error) {
	if err != nil {
		diags.Append(ofProvider{diag.NewErrorDiagnostic("Provider configuration is invalid", err.Error())})
	}
}

// ofProvider is an error in the provider's configuration. Everything that needs that part
// of it gets the error.
type ofProvider struct{ diag.Diagnostic }

// tellOnce keeps an error in the provider's configuration only for the first resource of a
// plan that gets it: one error ends the plan, and forty would hide other errors. Do not
// use it in an apply, in which each resource must report that it was not created or
// changed.
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

// sessionOf returns the session from the data that the provider passes to its parts. It is
// nil while the provider is not configured, as in a validation.
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
