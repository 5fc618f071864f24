package notify

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// label marks the issues that this package manages.
const label = "paistrike-audit"

// pageSize is the maximum number of issues per page of both services.
const pageSize = 100

// Tracker is the issue tracker of a repository.
type Tracker struct {
	Service    string // "github" or "gitlab"
	API        string // "https://api.github.com", "https://gitlab.example.com/api/v4"
	Repository string // "acme/tokens"
	Token      secret.Secret
}

// open is an open issue as the services list it.
type open struct {
	Number      int    `json:"number"` // GitHub's
	IID         int    `json:"iid"`    // GitLab's
	Title       string `json:"title"`
	Body        string `json:"body"`        // GitHub's
	Description string `json:"description"` // GitLab's
}

// Issues opens, updates or closes issues, so that exactly one is open for each issue with a
// body, and the others are closed. It does not change issues that are already up to date.
func (t Tracker) Issues(ctx context.Context, issues []report.Issue) error {
	found, err := t.list(ctx)
	if err != nil {
		return err
	}
	for _, issue := range issues {
		existing, exists := found[issue.Title]
		switch {
		case issue.Body == "" && exists:
			err = t.close(ctx, existing)
		case issue.Body != "" && !exists:
			err = t.write(ctx, http.MethodPost, "", map[string]any{"title": issue.Title, t.bodyKey(): issue.Body, "labels": t.labels()})
		case issue.Body != "" && existing.Body+existing.Description != issue.Body:
			err = t.write(ctx, t.change(), existing.path(), map[string]any{t.bodyKey(): issue.Body})
		}
		if err != nil {
			return fmt.Errorf("issue %q: %w", issue.Title, err)
		}
	}
	return nil
}

// list returns this package's open issues by title.
func (t Tracker) list(ctx context.Context) (map[string]open, error) {
	found := map[string]open{}
	state := "open"
	if t.gitLab() {
		state = "opened"
	}
	for page := 1; ; page++ {
		query := url.Values{"state": {state}, "labels": {label}, "per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}}
		var issues []open
		if err := call(ctx, http.MethodGet, t.address("")+"?"+query.Encode(), t.headers(), nil, &issues); err != nil {
			return nil, err
		}
		for _, issue := range issues {
			found[issue.Title] = issue
		}
		if len(issues) < pageSize {
			return found, nil
		}
	}
}

func (t Tracker) close(ctx context.Context, issue open) error {
	if t.gitLab() {
		return t.write(ctx, t.change(), issue.path(), map[string]any{"state_event": "close"})
	}
	return t.write(ctx, t.change(), issue.path(), map[string]any{"state": "closed"})
}

func (t Tracker) write(ctx context.Context, method, path string, body map[string]any) error {
	return call(ctx, method, t.address(path), t.headers(), body, nil)
}

func (t Tracker) gitLab() bool { return t.Service == "gitlab" }

// address returns GitHub's /repos/OWNER/NAME/issues, or GitLab's
// /projects/OWNER%2FNAME/issues.
func (t Tracker) address(path string) string {
	if t.gitLab() {
		return t.API + "/projects/" + url.PathEscape(t.Repository) + "/issues" + path
	}
	return t.API + "/repos/" + t.Repository + "/issues" + path
}

func (t Tracker) headers() map[string]string {
	if t.gitLab() {
		return map[string]string{"Authorization": "Bearer " + t.Token.Reveal()}
	}
	return map[string]string{"Authorization": "Bearer " + t.Token.Reveal(), "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
}

func (t Tracker) change() string {
	if t.gitLab() {
		return http.MethodPut
	}
	return http.MethodPatch
}

func (t Tracker) bodyKey() string {
	if t.gitLab() {
		return "description"
	}
	return "body"
}

func (t Tracker) labels() any {
	if t.gitLab() {
		return label
	}
	return []string{label}
}

func (o open) path() string { return "/" + strconv.Itoa(max(o.Number, o.IID)) }
