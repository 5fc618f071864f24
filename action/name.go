package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxName is how many characters PAIStrike takes for a name.
const maxName = 100

// tokenName makes a name that no other token has: it says which run it is for, and
// ends in something random, since the jobs of a matrix share all the rest.
func (p *program) tokenName() string {
	return nameOf(p.set.label, p.getenv("GITHUB_REPOSITORY"), p.getenv("GITHUB_RUN_ID"), p.getenv("GITHUB_RUN_ATTEMPT"),
		p.getenv("GITHUB_JOB"), strings.ToLower(p.gh.random())[:10])
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

// stamp writes a time as outputs show it, "" for never.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// number writes a version, "" for none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
