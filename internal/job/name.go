package job

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxName is the longest name that PAIStrike accepts, in characters.
const maxName = 100

// place lists the variables with which a CI identifies the project, the run, the attempt and
// the job. Only the first must be set. Source: the list of predefined variables in the CI's
// documentation.
type place struct{ project, run, attempt, job string }

func places() []place {
	return []place{
		{"GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"},
		{"CI_PROJECT_PATH", "CI_PIPELINE_ID", "CI_JOB_ID", "CI_JOB_NAME"}, // GitLab
		{"CIRCLE_PROJECT_REPONAME", "CIRCLE_BUILD_NUM", "CIRCLE_NODE_INDEX", "CIRCLE_JOB"},
		{"BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BUILD_NUMBER", "BUILDKITE_RETRY_COUNT", "BUILDKITE_STEP_KEY"},
		{"BUILD_REPOSITORY_NAME", "BUILD_BUILDID", "SYSTEM_JOBATTEMPT", "SYSTEM_JOBNAME"}, // Azure Pipelines
		{"BITBUCKET_REPO_FULL_NAME", "BITBUCKET_BUILD_NUMBER", "BITBUCKET_STEP_RUN_NUMBER", "BITBUCKET_STEP_NAME"},
		{"JOB_NAME", "BUILD_NUMBER", "EXECUTOR_NUMBER", "STAGE_NAME"}, // Jenkins
	}
}

// tokenName returns a unique name that identifies the run or, outside CI, the machine. It
// ends with random characters, because the jobs of a matrix have everything else in common.
func (s *session) tokenName() string {
	nonce := strings.ToLower(s.gh.Random())[:10]
	for _, p := range places() {
		if project := s.getenv(p.project); project != "" {
			return nameOf(s.set.label, project, s.getenv(p.run), s.getenv(p.attempt), s.getenv(p.job), nonce)
		}
	}
	return nameOf(s.set.label, s.host, "", "", "", nonce)
}

// nameOf joins the parts of a name. If it is too long, the least informative parts are cut.
func nameOf(label, repository, run, attempt, job, nonce string) string {
	end := fmt.Sprintf(":%s.%s:%s:%s", orDash(run), orDash(attempt), cut(orDash(job), 20), nonce)
	room := maxName - len([]rune(label)) - 1 - len([]rune(end))
	return label + ":" + cut(orDash(repository), max(room, 1)) + end
}

func orDash(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == ' ' || r == ':' {
			return '-'
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text
}

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// number formats a generation, or returns "" for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
