package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// stateAim is how many bytes attributes and private state of a token that has just been
// created may take in a local state, indentation included. docs/decisions/0013 says what
// they are for.
const stateAim = 1350

// stateBytes returns how many bytes of a local state a resource takes, on average: its
// attributes and its private state, and all of it, with what the CLI writes about it.
func stateBytes(tf *tfcli.Workspace) (own, all float64, err error) {
	raw, err := os.ReadFile(filepath.Join(tf.Dir, "terraform.tfstate"))
	if err != nil {
		return 0, 0, err
	}
	var state struct {
		Resources []struct {
			Instances []json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return 0, 0, err
	}
	count := 0
	for _, resource := range state.Resources {
		for _, instance := range resource.Instances {
			var parts struct{ Attributes, Private json.RawMessage }
			if err := json.Unmarshal(instance, &parts); err != nil {
				return 0, 0, err
			}
			count++
			own += float64(len(parts.Attributes) + len(parts.Private))
			all += float64(len(instance))
		}
	}
	if count == 0 {
		return 0, 0, errors.New("the state holds no resource")
	}
	return own / float64(count), all / float64(count), nil
}

// state adds how long the state of a token is, by itself and against the floor's.
func (r *report) state(name string, ours, floor *tfcli.Workspace) error {
	own, all, err := stateBytes(ours)
	if err != nil {
		return err
	}
	r.aim(name+": a token in state, attributes and private state", own, unitBytes, stateAim)
	if floor == nil {
		return nil
	}
	_, least, err := stateBytes(floor)
	if err != nil {
		return err
	}
	r.add(name+": a token in state against the floor", all/least, "times")
	return nil
}
