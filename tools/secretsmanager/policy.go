package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// policy is an IAM policy document. Anything that this server cannot evaluate is rejected
// when the document is read, so that no policy means less than it says.
type policy struct {
	Version   string          `json:"Version"`
	ID        string          `json:"Id,omitempty"`
	Statement list[statement] `json:"Statement"`
}

type statement struct {
	Sid         string                             `json:"Sid,omitempty"`
	Effect      string                             `json:"Effect"`
	Principal   principalPattern                   `json:"Principal,omitzero"`
	Action      list[string]                       `json:"Action,omitempty"`
	NotAction   list[string]                       `json:"NotAction,omitempty"`
	Resource    list[string]                       `json:"Resource,omitempty"`
	NotResource list[string]                       `json:"NotResource,omitempty"`
	Condition   map[string]map[string]list[scalar] `json:"Condition,omitempty"`
}

// list is a list of elements. IAM accepts a single element without brackets.
type list[T any] []T

// UnmarshalJSON accepts both forms.
func (l *list[T]) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		var many []T
		err := decodeStrictly(text, &many)
		*l = many
		return err
	}
	var one T
	err := decodeStrictly(text, &one)
	*l = list[T]{one}
	return err
}

// scalar is the value of a condition: text, or a number or boolean without quotes.
type scalar string

// UnmarshalJSON decodes any of them as text.
func (s *scalar) UnmarshalJSON(text []byte) error {
	switch {
	case bytes.HasPrefix(text, []byte(`"`)):
		var words string
		err := json.Unmarshal(text, &words)
		*s = scalar(words)
		return err
	case bytes.ContainsAny(text, "{["):
		return fmt.Errorf("%s is not a condition value", text)
	}
	*s = scalar(text)
	return nil
}

// principalPattern is a statement's Principal: "*", or ARNs by type.
type principalPattern struct {
	Any       bool         `json:"-"`
	AWS       list[string] `json:"AWS,omitempty"`
	Federated list[string] `json:"Federated,omitempty"`
}

// UnmarshalJSON accepts both forms.
func (p *principalPattern) UnmarshalJSON(text []byte) error {
	if string(bytes.TrimSpace(text)) == `"*"` {
		p.Any = true
		return nil
	}
	type plain principalPattern
	return decodeStrictly(text, (*plain)(p))
}

// check rejects a document that is invalid in IAM or that this server cannot evaluate. A
// trust policy has principals and no resources.
func (p policy) check(trust bool) error {
	if p.Version != "2012-10-17" {
		return fmt.Errorf("policy: Version is %q, want \"2012-10-17\"", p.Version)
	}
	if len(p.Statement) == 0 {
		return errors.New("policy: there is no Statement")
	}
	for i, s := range p.Statement {
		if err := s.check(trust); err != nil {
			return fmt.Errorf("policy: statement %d: %w", i+1, err)
		}
	}
	return nil
}

func (s statement) check(trust bool) error {
	named := s.Principal.Any || s.Principal.AWS != nil || s.Principal.Federated != nil
	resources := s.Resource != nil || s.NotResource != nil
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("effect is %q, want Allow or Deny", s.Effect)
	case (s.Action == nil) == (s.NotAction == nil):
		return errors.New("exactly one of Action and NotAction is needed")
	case trust && (!named || resources):
		return errors.New("a trust policy has a Principal and no Resource")
	case !trust && (named || !resources || s.Resource != nil && s.NotResource != nil):
		return errors.New("an identity-based policy has no Principal, and exactly one of Resource and NotResource")
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		if action != "*" && !strings.Contains(action, ":") {
			return fmt.Errorf("action %q has no service prefix", action)
		}
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return fmt.Errorf("resource %q is neither an ARN nor *", resource)
		}
	}
	for name, keys := range s.Condition {
		op, err := parseOperator(name)
		if err != nil {
			return err
		}
		for key, values := range keys {
			if err := op.checkValues(values); err != nil {
				return fmt.Errorf("condition %s on %s: %w", name, key, err)
			}
		}
	}
	return nil
}

// decodeStrictly decodes JSON and rejects unknown members and trailing data.
func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("there is something after the JSON value")
	}
	return nil
}
