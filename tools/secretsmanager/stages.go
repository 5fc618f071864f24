package main

import (
	"maps"
	"slices"
)

// Staging labels that AWS moves automatically.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// maxStages is AWS's quota: "Staging labels attached across all versions of a
// secret: 20".
const maxStages = 20

// stages maps each staging label of a secret to a version: "Each staging label can be
// attached to only one version at a time". Methods do not modify their receiver.
type stages map[string]string

// of returns the labels of one version, sorted.
func (s stages) of(id string) []string {
	var list []string
	for label, at := range s {
		if at == id {
			list = append(list, label)
		}
	}
	slices.Sort(list)
	return list
}

// attach moves a label to a version. "Whenever you move AWSCURRENT, Secrets Manager
// automatically moves the label AWSPREVIOUS to the version that AWSCURRENT was removed from".
func (s stages) attach(label, id string) stages {
	moved := maps.Clone(s)
	if moved == nil {
		moved = stages{}
	}
	if from, ok := s[label]; label == current && ok && from != id {
		moved[previous] = from
	}
	moved[label] = id
	return moved
}

// put returns the labels after a new version: AWSCURRENT moves to it unless other labels are
// requested. "If this operation creates the first version for the secret, then Secrets
// Manager automatically attaches the staging label AWSCURRENT to it".
func (s stages) put(id string, asked []stage) (stages, error) {
	after := s
	if len(asked) == 0 || len(s) == 0 || slices.Contains(asked, current) {
		after = after.attach(current, id)
	}
	for _, label := range asked {
		if label != current {
			after = after.attach(string(label), id)
		}
	}
	return after, after.check()
}

// move returns the labels after UpdateSecretVersionStage, whose condition makes it a
// compare-and-set: "If the label is attached and you either do not specify this parameter
// [RemoveFromVersionId], or the version ID does not match, then the operation fails." An
// empty from or to is not specified.
func (s stages) move(label, from, to string) (stages, error) {
	at, attached := s[label]
	switch {
	case from == "" && to == "":
		return nil, refuse(invalidParameter, "You must provide a value for RemoveFromVersionId, MoveToVersionId or both.")
	case attached && from == "" && at != to:
		return nil, refuse(invalidParameter, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to "+
			"version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, at)
	case from != "" && at != from:
		return nil, refuse(invalidParameter, "When you move staging label %s, if you specify RemoveFromVersionId, it must be set to the "+
			"version that currently has the staging label %s.", label, label)
	case to == "" && label == current:
		return nil, refuse(invalidParameter, "You can only move staging label %s to a different secret version. It can't be completely removed.", label)
	case to == "":
		after := maps.Clone(s)
		delete(after, label)
		return after, nil
	}
	after := s.attach(label, to)
	return after, after.check()
}

func (s stages) check() error {
	if len(s) > maxStages {
		return refuse(limitExceeded, "You can't attach more than %d staging labels to the versions of a secret.", maxStages)
	}
	return nil
}
