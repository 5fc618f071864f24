package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// conditionKeys are the values of a request, by key in lower case: "Condition key names are
// not case-sensitive". A key without values is not in the request.
type conditionKeys map[string][]string

func (k conditionKeys) add(key string, values ...string) {
	k[strings.ToLower(key)] = append(k[strings.ToLower(key)], values...)
}

func (k conditionKeys) get(key string) []string { return k[strings.ToLower(key)] }

// operator is a condition operator of IAM.
type operator struct {
	compare  func(asked, pattern string, keys conditionKeys) bool
	negated  bool   // StringNotEquals and the like
	ifExists bool   // satisfied if the key is not in the request
	null     bool   // Null: tests whether the key is in the request
	set      string // ForAllValues, ForAnyValue or ""
	number   bool
	truth    bool
}

// parseOperator parses a name such as "ForAnyValue:StringLikeIfExists".
func parseOperator(name string) (operator, error) {
	var op operator
	base := name
	if set, rest, ok := strings.Cut(name, ":"); ok {
		if set != "ForAllValues" && set != "ForAnyValue" {
			return op, fmt.Errorf("there is no condition operator %s", name)
		}
		op.set, base = set, rest
	}
	if base == "Null" {
		op.null, op.truth = true, true
		return op, nil
	}
	base, op.ifExists = strings.CutSuffix(base, "IfExists")
	if kind, rest, ok := strings.Cut(base, "Not"); ok {
		base, op.negated = kind+rest, true
	}
	switch base {
	case "StringEquals":
		op.compare = func(asked, pattern string, keys conditionKeys) bool { return expand(pattern, keys).equal(asked) }
	case "StringEqualsIgnoreCase":
		op.compare = func(asked, pattern string, keys conditionKeys) bool {
			return expand(strings.ToLower(pattern), keys).equal(strings.ToLower(asked))
		}
	case "StringLike":
		op.compare = func(asked, pattern string, keys conditionKeys) bool { return expand(pattern, keys).match(asked) }
	case "ArnEquals", "ArnLike": // IAM: both behave the same
		op.compare = func(asked, pattern string, keys conditionKeys) bool { return expand(pattern, keys).matchARN(asked) }
	case "Bool":
		op.truth, op.compare = true, func(asked, pattern string, _ conditionKeys) bool { return strings.EqualFold(asked, pattern) }
	case "NumericEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals":
		op.number, op.compare = true, numeric(strings.TrimPrefix(base, "Numeric"))
	default:
		return op, fmt.Errorf("this server has no condition operator %s", name)
	}
	return op, nil
}

func numeric(relation string) func(asked, pattern string, _ conditionKeys) bool {
	return func(asked, pattern string, _ conditionKeys) bool {
		a, err := strconv.ParseFloat(asked, 64)
		b, err2 := strconv.ParseFloat(pattern, 64)
		if err != nil || err2 != nil {
			return false
		}
		switch relation {
		case "LessThan":
			return a < b
		case "LessThanEquals":
			return a <= b
		case "GreaterThan":
			return a > b
		case "GreaterThanEquals":
			return a >= b
		}
		return a == b
	}
}

// checkValues rejects values that the operator cannot compare.
func (op operator) checkValues(values []scalar) error {
	for _, value := range values {
		if _, err := strconv.ParseFloat(string(value), 64); op.number && err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		if _, err := strconv.ParseBool(string(value)); op.truth && err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
	}
	return nil
}

// holds evaluates one operator for one key. Several values in the policy are alternatives;
// for a negated operator, none of them may match.
func (op operator) holds(asked []string, patterns []scalar, keys conditionKeys) bool {
	if op.null {
		return slices.ContainsFunc(patterns, func(p scalar) bool { return strings.EqualFold(string(p), strconv.FormatBool(len(asked) == 0)) })
	}
	one := func(value string) bool {
		matched := slices.ContainsFunc(patterns, func(p scalar) bool { return op.compare(value, string(p), keys) })
		return matched != op.negated
	}
	switch {
	case op.set == "ForAllValues": // "also returns true if there are no keys in the request"
		return !slices.ContainsFunc(asked, func(value string) bool { return !one(value) })
	case len(asked) == 0:
		return op.ifExists || op.negated && op.set == ""
	case op.set == "ForAnyValue":
		return slices.ContainsFunc(asked, one)
	}
	// A single-valued operator with several values: all must satisfy it.
	return !slices.ContainsFunc(asked, func(value string) bool { return !one(value) })
}
