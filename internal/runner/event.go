package runner

import (
	"encoding/json"
	"strings"
)

// Event is the event that started the run.
type Event struct {
	Name string // "push"; "" outside GitHub

	repository, actor string
	act               bool // the run is one of nektos/act, not of GitHub
	head              string
	pullRequest       bool
}

// ReadEvent reads the event from the environment and the payload file. An unreadable payload
// counts as an ordinary event, because it affects only the wording of messages.
func ReadEvent(getenv func(string) string, readFile func(string) ([]byte, error)) Event {
	e := Event{
		Name: getenv("GITHUB_EVENT_NAME"), repository: getenv("GITHUB_REPOSITORY"), actor: getenv("GITHUB_ACTOR"),
		act: getenv("ACT") == "true",
	}
	raw, err := readFile(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return e
	}
	var payload struct {
		PullRequest *struct {
			Head struct {
				Repo *struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
		} `json:"pull_request"`
	}
	if json.Unmarshal(raw, &payload) != nil || payload.PullRequest == nil {
		return e
	}
	e.pullRequest, e.head = true, "a repository that was deleted"
	if repo := payload.PullRequest.Head.Repo; repo != nil {
		e.head = repo.FullName
	}
	return e
}

// Privileged reports whether the run has the base repository's permissions although it may
// check out untrusted code.
func (e Event) Privileged() bool {
	return e.Name == "pull_request_target" || e.Name == "workflow_run"
}

// Untrusted returns an error that explains why the run gets neither secrets nor identity
// tokens, or nil if it gets them.
func (e Event) Untrusted() error {
	switch {
	case e.pullRequest && !e.Privileged() && !strings.EqualFold(e.head, e.repository):
		return fromFork(e.Name, e.head)
	case e.actor == "dependabot[bot]" && !e.act:
		return fromDependabot(e.Name)
	}
	return nil
}

// noIdentity explains why the job has no OIDC endpoint.
func (e Event) noIdentity() error {
	if e.act {
		return underAct()
	}
	if why := e.Untrusted(); why != nil {
		return why
	}
	return noPermission()
}
