package main

import (
	"encoding/json"
	"strings"
)

// event is what started the run.
type event struct {
	name, repository, actor string
	act                     bool // the run is one of nektos/act, and not of GitHub
	head                    string
	pullRequest             bool
}

// readEvent reads the event that the runner describes. What cannot be read counts as
// an ordinary event: it only chooses the words of a message.
func readEvent(getenv func(string) string, readFile func(string) ([]byte, error)) event {
	e := event{
		name: getenv("GITHUB_EVENT_NAME"), repository: getenv("GITHUB_REPOSITORY"), actor: getenv("GITHUB_ACTOR"),
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

// privileged reports an event whose run has the base repository's rights and may yet
// have a stranger's code at hand.
func (e event) privileged() bool {
	return e.name == "pull_request_target" || e.name == "workflow_run"
}

// untrusted says why a run gets neither secrets nor identity tokens, nil where there
// is no such reason.
func (e event) untrusted() error {
	switch {
	case e.pullRequest && !e.privileged() && !strings.EqualFold(e.head, e.repository):
		return fromFork(e.name, e.head)
	case e.actor == "dependabot[bot]" && !e.act:
		return fromDependabot(e.name)
	}
	return nil
}

// noIdentity says why there is no OIDC service to ask.
func (e event) noIdentity() error {
	if e.act {
		return underAct()
	}
	if why := e.untrusted(); why != nil {
		return why
	}
	return noPermission()
}
