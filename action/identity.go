package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// claims are the parts of the last identity token that messages may show. None of
// them is a secret: they name the repository, the run and what started it.
type claims map[string]string

// shownClaims are those, in the order in which they are shown.
func shownClaims() []string {
	return []string{
		"iss", "aud", "sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility", "environment",
		"ref", "ref_type", "event_name", "workflow_ref", "job_workflow_ref", "runner_environment", "actor", "actor_id",
	}
}

// identityToken asks GitHub for a new identity token and masks it. It tries again
// where GitHub cannot answer just now.
func (p *program) identityToken(ctx context.Context) (secret.Secret, error) {
	address := p.getenv("ACTIONS_ID_TOKEN_REQUEST_URL")
	if address == "" || p.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return secret.Secret{}, p.event.noIdentity()
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return secret.Secret{}, identityFailed("ACTIONS_ID_TOKEN_REQUEST_URL is not an https address")
	}
	client := &http.Client{Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	actions := githubactions.New(githubactions.WithGetenv(p.getenv), githubactions.WithHTTPClient(client))
	for attempt := 1; ; attempt++ {
		token, err := actions.GetIDToken(ctx, p.set.audience)
		if err == nil {
			return p.useIdentity(token)
		}
		status := 0
		if answer, ok := errors.AsType[*githubactions.RequestFailedError](err); ok {
			status = answer.StatusCode // its text holds the whole answer
		}
		if !mayPass(status) || attempt >= p.set.maxAttempts || ctx.Err() != nil {
			return secret.Secret{}, identityFailed(identityProblem(status))
		}
		p.gh.debug("GitHub's identity service answered %d, attempt %d of %d", status, attempt, p.set.maxAttempts)
		if err := p.pause(ctx, attempt, 0); err != nil {
			return secret.Secret{}, identityFailed(identityProblem(status))
		}
	}
}

// useIdentity masks a token and keeps its claims for messages.
func (p *program) useIdentity(token string) (secret.Secret, error) {
	value := secret.New(token)
	if err := p.gh.mask(value); err != nil {
		return secret.Secret{}, err
	}
	if !visible(token) {
		return secret.Secret{}, identityFailed("its answer holds no token")
	}
	p.claims = readClaims(token)
	p.gh.debug("identity token for audience %q, with the claims: %s", p.set.audience, strings.Join(p.claims.names(), ", "))
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

// mayPass reports whether a status, 0 for no answer, may be another one soon.
func mayPass(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusPreconditionFailed, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// readClaims reads the middle of a JWT without checking it: Vault does that.
func readClaims(token string) claims {
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
	found := claims{}
	for _, name := range shownClaims() {
		switch value := all[name].(type) {
		case string:
			found[name] = oneLine(value)
		case []any:
			found[name] = oneLine(strings.Trim(fmt.Sprint(value), "[]"))
		}
	}
	return found
}

// names lists the claims that there are.
func (c claims) names() []string {
	var names []string
	for _, name := range shownClaims() {
		if _, ok := c[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

// oneLine keeps a foreign text from spreading over lines, or over the screen.
func oneLine(text string) string { return flat(text, 200) }

// flat is a foreign text without line breaks, of a number of characters at most.
func flat(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// pause waits before another attempt: as long as the server asked, else twice as
// long each time.
func (p *program) pause(ctx context.Context, attempt int, asked time.Duration) error {
	wait := min(500*time.Millisecond<<min(attempt-1, 6), 8*time.Second)
	return p.sleep(ctx, max(wait, asked))
}

// sleep waits, but no longer than the step has, whatever context a call runs under.
func (p *program) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.step.Done():
		return p.step.Err()
	}
}
