package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// stateAim is the limit for the attributes and private state of a new token in a local state,
// in bytes, including indentation. docs/decisions/0013 explains their purpose.
const stateAim = 1350

// stateBytes returns the average size of a resource in a local state, in bytes: own is that
// of its attributes and private state, all includes what the CLI adds.
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

// state adds the length of a token's state, alone and compared with the floor's.
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
