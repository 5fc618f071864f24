package job

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// ended returns an error if the step's time is over or the run was cancelled, and nil
// otherwise.
func (s *session) ended(ctx context.Context) error {
	switch {
	case errors.Is(context.Cause(ctx), errCancelled):
		return cancelled()
	case ctx.Err() != nil:
		return outOfTime(s.set.timeout, ctx.Err())
	}
	return nil
}

// untrusted reports whether err is caused by who started the run.
func untrusted(err error) bool {
	f, ok := errors.AsType[*runner.Failure](err)
	return ok && (f.Code == runner.CodeFork || f.Code == runner.CodeDependabot)
}

// vaultSilent returns the error for a request without a response, by how far it got.
func (s *session) vaultSilent(err error) error {
	address := s.set.vault.Address
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	if untrusted {
		return vaultUntrusted(address, certificate)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return vaultUntrusted(address, unknown)
	}
	return vaultUnreachable(address, stage(err), err, s.proxied(address))
}

// stage describes how far a request got.
func stage(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "no such host"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return "no connection"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "not a TLS server"
	}
	return "incomplete response"
}

// proxied reports whether requests to an address use a proxy.
func (s *session) proxied(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	return err == nil && proxy != nil
}

// loginFailed returns the error for a rejected login. Vault has no error codes for the
// reason, only texts. This is the only function that interprets them; it quotes unknown texts
// in a general message.
func (s *session) loginFailed(err *vault.LoginError) error {
	said := reasons(err)
	says := func(part string) bool { return strings.Contains(strings.ToLower(said), part) }
	role := s.set.vault.Login.Role
	namespace := s.set.vault.AuthNamespace
	if namespace == "" {
		namespace = s.set.vault.Namespace
	}
	switch {
	case says("but no audiences bound"):
		return noBoundAudience(role, s.set.audience, err)
	case says("audience"):
		return wrongAudience(role, s.set.audience, err)
	case says("claim") && len(s.identity.Claims) > 0:
		shown, sub := s.identity.Claims.About(said)
		return wrongClaim(role, shown, sub, err)
	case says("oidc") && says("role_type"):
		return wrongRoleType(role, err)
	}
	return loginRefused(err.Method, err.Mount, namespace, role, err)
}

// reasons returns Vault's error texts, or err's text if there are none.
func reasons(err error) string {
	if e, ok := errors.AsType[*vault.Error](err); ok && len(e.Reasons) > 0 {
		return strings.Join(e.Reasons, "; ")
	}
	if e, ok := errors.AsType[*vault.LoginError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// brokerFailed returns the error for a failed call with the management token.
func (s *session) brokerFailed(ctx context.Context, err error) error {
	if ended := s.ended(ctx); ended != nil {
		return ended
	}
	if paistrike.IsUnauthorized(err) {
		return tokenRefused(s.set.place(s.set.at), "management token", err)
	}
	return apiUnavailable(s.set.api.Endpoint, err)
}

// createFailed returns the error for a create that certainly created nothing. It returns nil
// if err is nil.
func (s *session) createFailed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := s.ended(ctx); ended != nil {
		return ended
	}
	status := paistrike.StatusOf(err)
	switch {
	case paistrike.IsUnauthorized(err):
		return tokenRefused(s.set.place(s.set.at), "management token", err)
	case paistrike.IsLimitReached(err):
		return createRefused("Revoke tokens that are no longer needed.", err)
	case paistrike.HasCode(err, "minting_not_allowed"):
		return createRefused("This account does not allow creating tokens with a token: use "+s.readMode()+"a token that Terraform or a person creates.", err)
	case paistrike.HasCode(err, "exceeds_issuer"):
		return createRefused("A token cannot expire later than the token that creates it: shorten expires_in, or replace the management token.", err)
	case status == 0 || runner.MayPass(status):
		return apiUnavailable(s.set.api.Endpoint, err)
	}
	return createRefused("Check expires_in, label and the permissions of the management token.", err)
}

// readMode names the alternative to minting in a workflow.
func (s *session) readMode() string {
	if s.gh.IsGitHub() {
		return "mode: read with "
	}
	return ""
}

// verifyFailed returns the error for a new token whose verification failed.
func (s *session) verifyFailed(ctx context.Context, t token, err error) error {
	if ended := s.ended(ctx); ended != nil {
		return ended
	}
	return mintedRefused(t, err)
}

// readRefused returns the error for a stored token whose verification failed.
func (s *session) readRefused(ctx context.Context, t token, err error) error {
	if ended := s.ended(ctx); ended != nil {
		return ended
	}
	if paistrike.IsUnauthorized(err) {
		if left, ends := remaining(t.ExpiresAt, s.now()); ends && left <= 0 {
			return endsTooSoon(s.set.place(s.set.at), t, left, 0)
		}
		return tokenRefused(s.set.place(s.set.at), "token", err)
	}
	return apiUnavailable(s.set.api.Endpoint, err)
}
