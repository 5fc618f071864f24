package job

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxName is how many characters PAIStrike takes for a name.
const maxName = 100

// tokenName makes a name that no other token has: it says which run it is for, and
// ends in something random, since the jobs of a matrix share all the rest.
func (s *session) tokenName() string {
	return nameOf(s.set.label, s.getenv("GITHUB_REPOSITORY"), s.getenv("GITHUB_RUN_ID"), s.getenv("GITHUB_RUN_ATTEMPT"),
		s.getenv("GITHUB_JOB"), strings.ToLower(s.gh.Random())[:10])
}

// nameOf joins the parts of a name. What is too long is cut where it tells least.
func nameOf(label, repository, run, attempt, job, nonce string) string {
	end := fmt.Sprintf(":%s.%s:%s:%s", orDash(run), orDash(attempt), cut(orDash(job), 20), nonce)
	room := maxName - len([]rune(label)) - 1 - len([]rune(end))
	return label + ":" + cut(orDash(repository), max(room, 1)) + end
}

func orDash(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == ' ' {
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

// number writes a version, "" for none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
