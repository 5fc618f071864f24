package runner

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"

	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Claims are the claims of an identity token that messages may show. None is secret: they
// identify the repository, the run and its trigger.
type Claims map[string]string

// shownClaims returns the names of these claims in display order.
func shownClaims() []string {
	return []string{
		"iss", "aud", "sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility", "environment",
		"ref", "ref_type", "event_name", "workflow_ref", "job_workflow_ref", "runner_environment", "actor", "actor_id",
	}
}

// Identity requests identity tokens from GitHub.
type Identity struct {
	Runner   *Runner
	Event    Event
	Audience string
	// Attempts is the maximum number of attempts after temporary failures.
	Attempts int
	// Timeout limits one attempt.
	Timeout time.Duration
	// Pause waits after the given attempt.
	Pause func(ctx context.Context, attempt int) error
	// Claims are the claims of the last token.
	Claims Claims
}

// Token requests a new identity token and masks it. It retries temporary failures. Its errors
// are of type [*Failure], with the codes PSA101 to PSA106.
func (i *Identity) Token(ctx context.Context) (secret.Secret, error) {
	getenv := i.Runner.getenv
	address := getenv("ACTIONS_ID_TOKEN_REQUEST_URL")
	if address == "" || getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return secret.Secret{}, i.Event.noIdentity()
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())) {
		return secret.Secret{}, identityFailed("ACTIONS_ID_TOKEN_REQUEST_URL is not an https address")
	}
	client := &http.Client{Timeout: i.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	actions := githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithHTTPClient(client))
	for attempt := 1; ; attempt++ {
		token, err := actions.GetIDToken(ctx, i.Audience)
		if err == nil {
			return i.take(token)
		}
		status := 0
		if answer, ok := errors.AsType[*githubactions.RequestFailedError](err); ok {
			status = answer.StatusCode // the error's text contains the whole response, so it is not used
		}
		if !MayPass(status) || attempt >= i.Attempts || ctx.Err() != nil {
			return secret.Secret{}, identityFailed(identityProblem(status))
		}
		i.Runner.Debug("GitHub's identity service answered %d, attempt %d of %d", status, attempt, i.Attempts)
		if err := i.Pause(ctx, attempt); err != nil {
			return secret.Secret{}, identityFailed(identityProblem(status))
		}
	}
}

// take masks a token and stores its claims for messages.
func (i *Identity) take(token string) (secret.Secret, error) {
	value := secret.New(token)
	if err := i.Runner.Mask(value); err != nil {
		return secret.Secret{}, err
	}
	if !secret.IsVisible(token) {
		return secret.Secret{}, identityFailed("its answer holds no token")
	}
	i.Claims = ReadClaims(token)
	i.Runner.Debug("identity token for audience %q, with the claims: %s", i.Audience, strings.Join(i.Claims.names(), ", "))
	return value, nil
}

func identityProblem(status int) string {
	switch {
	case status == 0:
		return "it did not answer"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Sprintf("it answered %d: the permission was taken back, or the job has ended", status)
	default:
		return fmt.Sprintf("it answered %d %s", status, http.StatusText(status))
	}
}

// MayPass reports whether an HTTP status is temporary. Status 0 means no response.
func MayPass(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusPreconditionFailed, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// ReadClaims decodes the payload of a JWT without verifying it. Vault verifies it.
func ReadClaims(token string) Claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var all map[string]any
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	found := Claims{}
	for _, name := range shownClaims() {
		switch value := all[name].(type) {
		case string:
			found[name] = inert.Short(value)
		case []any:
			found[name] = inert.Short(strings.Trim(fmt.Sprint(value), "[]"))
		}
	}
	return found
}

// names returns the names of the claims present.
func (c Claims) names() []string {
	var names []string
	for _, name := range shownClaims() {
		if _, ok := c[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

// About formats the claims that Vault's error message names, or all claims if it names none.
// sub reports whether it names the subject.
func (c Claims) About(said string) (shown string, sub bool) {
	var named, all []string
	for _, name := range c.names() {
		line := "  " + name + " = " + c[name]
		all = append(all, line)
		if strings.Contains(said, `"`+name+`"`) || strings.Contains(said, "/"+name) || strings.Contains(said, "("+name+")") {
			named = append(named, line)
			sub = sub || name == "sub"
		}
	}
	if named == nil {
		named = all
	}
	return strings.Join(named, "\n"), sub
}

// IsLoopback reports whether host is a loopback address or localhost.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
