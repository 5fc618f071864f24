package main

import (
	"slices"
	"strings"
)

// ask is an authorization request to IAM.
type ask struct {
	action   string // such as secretsmanager:GetSecretValue
	resource string // an ARN, or "*" for actions without a resource
	keys     conditionKeys
}

// verdict is IAM's decision.
type verdict int

const (
	implicitDeny verdict = iota // no statement allows it
	allow
	explicitDeny
)

// evaluate applies identity-based policies: "an explicit deny in any of these policies
// overrides the allow", and anything not allowed is denied.
func evaluate(policies []policy, a ask) verdict {
	answer := implicitDeny
	for _, p := range policies {
		for _, s := range p.Statement {
			if !s.about(a) {
				continue
			}
			if s.Effect == "Deny" {
				return explicitDeny
			}
			answer = allow
		}
	}
	return answer
}

// about reports whether a statement of an identity-based policy applies to a request.
func (s statement) about(a ask) bool {
	return s.aboutAction(a.action) && s.aboutResource(a) && s.conditionsHold(a.keys)
}

// aboutAction compares case-insensitively, as IAM does.
func (s statement) aboutAction(action string) bool {
	named := func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(action)) }
	if s.NotAction != nil {
		return !slices.ContainsFunc(s.NotAction, named)
	}
	return slices.ContainsFunc(s.Action, named)
}

func (s statement) aboutResource(a ask) bool {
	named := func(p string) bool {
		if p == "*" {
			return true
		}
		return a.resource != "*" && expand(p, a.keys).matchARN(a.resource)
	}
	if s.NotResource != nil {
		return !slices.ContainsFunc(s.NotResource, named)
	}
	return slices.ContainsFunc(s.Resource, named)
}

// conditionsHold evaluates a Condition: all operators and all their keys must hold.
func (s statement) conditionsHold(keys conditionKeys) bool {
	for name, wanted := range s.Condition {
		op, err := parseOperator(name)
		if err != nil {
			return false // rejected when the policy was read
		}
		for key, values := range wanted {
			if !op.holds(keys.get(key), values, keys) {
				return false
			}
		}
	}
	return true
}

// denial returns AWS's error for a denied action. shown is the secret as the caller named it.
func denial(who string, action, shown string, v verdict, kind string) error {
	reason := "because no " + kind + " policy allows the " + action + " action"
	if v == explicitDeny {
		reason = "with an explicit deny in " + article(kind) + " " + kind + " policy"
	}
	return refuse(accessDenied, "User: %s is not authorized to perform: %s on resource: %s %s", who, action, shown, reason)
}

func article(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an"
	}
	return "a"
}
