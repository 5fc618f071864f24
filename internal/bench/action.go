package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// actionRounds is the number of runs of each step. Each round is compared with its own run of
// the empty action, and the result is the median of the ratios: temporary load affects both.
const actionRounds = 21

const emptyAction = "an empty node action"

// actionSteps returns the steps to measure, and the aim for each as a multiple of an empty
// action; 0 = no aim.
func (s *actionScene) actionSteps() []actionMeasure {
	steps := []actionMeasure{
		{emptyAction, 0, s.node(s.empty)},
		{"read, the program in the tool cache", 1.4, s.read("tools")},
		{"mint, the program in the tool cache", 1.5, s.mint},
		{"post with nothing to do", 1.05, s.node(s.script("post.js"))},
		{"read, the program downloaded", 2.5, s.cold},
		{"read, the program alone without a launcher", 0, s.alone},
	}
	if s.vaultAction != "" {
		steps = append(steps, actionMeasure{"vault-action reads the same secret", 0, s.peer})
	}
	return steps
}

// actionMeasure is one kind of step.
type actionMeasure struct {
	name string
	aim  float64
	run  func(context.Context) (time.Duration, error)
}

// action compares whole steps of the action with an action of one empty line, all started as
// the runner starts them. BENCH_VAULT_ACTION names the published script of
// hashicorp/vault-action (dist/index.js of its repository) to measure for comparison.
func (b *bench) action(ctx context.Context, r *report) (err error) {
	node, version, err := nodeOfTheRunners(ctx)
	if err != nil {
		r.notes = append(r.notes, "The action was not measured: there is no node.")
		return nil //nolint:nilerr // said in the report
	}
	w, err := b.newWorld(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	scene, err := b.newActionScene(ctx, w, node)
	if err != nil {
		return err
	}
	defer scene.close()
	steps := scene.actionSteps()
	times := make([][]time.Duration, len(steps))
	order := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the order of measurements
	for round := range actionRounds + 1 {
		for _, i := range order.Perm(len(steps)) {
			took, err := steps[i].run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", steps[i].name, err)
			}
			if round > 0 { // the first round only fills caches
				times[i] = append(times[i], took)
			}
		}
	}
	for i, step := range steps {
		r.add("action: "+step.name, median(slices.Clone(times[i])).Seconds(), "s")
		if i > 0 {
			r.aim("action: "+step.name+", against an empty action", ratio(times[i], times[0]), "times", step.aim)
		}
	}
	r.notes = append(r.notes, fmt.Sprintf("The action was measured on Node %s, in %d rounds.", version, actionRounds))
	return nil
}

// ratio returns the median ratio of two series, round by round.
func ratio(of, against []time.Duration) float64 {
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = of[i].Seconds() / against[i].Seconds()
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// nodeOfTheRunners returns Node.js 24 if tools/node24 has installed it, otherwise node from
// PATH.
func nodeOfTheRunners(ctx context.Context) (program, version string, err error) {
	root, err := tfcli.Repository()
	if err != nil {
		return "", "", err
	}
	program = filepath.Join(root, ".tools", "node24")
	if _, err := os.Stat(program); err != nil {
		if program, err = exec.LookPath("node"); err != nil {
			return "", "", err
		}
	}
	said, err := exec.CommandContext(ctx, program, "--version").Output() //nolint:gosec // node
	return program, strings.TrimPrefix(strings.TrimSpace(string(said)), "v"), err
}
