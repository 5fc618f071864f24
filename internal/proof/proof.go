// Package proof adds up what the tests behind the reliability guide have tried:
// faults, pairs of faults, states of the model, broken rules, races, kills. The
// numbers come from the tests themselves, through a file that each test appends to.
//
// Those tests call [Add]; the command in internal/proof/run starts them, or prints
// what a file of theirs comes to. It proves nothing by itself.
package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// FileVariable names the environment variable with the file to append to.
const FileVariable = "PROOF_FILE"

// Kind is what was tried.
type Kind string

// The kinds, in the order of the proof line.
const (
	Faults  Kind = "faults"  // runs with one fault
	Pairs   Kind = "pairs"   // runs with two faults
	States  Kind = "states"  // states that the explorer visited
	Mutants Kind = "mutants" // broken rules: how many a proof noticed, of how many
	Races   Kind = "races"   // runs that competed with others
	Kills   Kind = "kills"   // processes killed between two steps
	// Lies and Neighbors count only cases that some broken rule is caught by.
	Lies      Kind = "lies"      // runs with an answer that is not true
	Neighbors Kind = "neighbors" // states with another resource, a forger or a copy at work
	Chaos     Kind = "chaos"     // runs with faults, lies and neighbors at random
)

var kinds = []Kind{Faults, Pairs, States, Mutants, Races, Kills, Lies, Neighbors, Chaos}

// Tally is what one test tried.
type Tally struct {
	Kind       Kind   `json:"kind,omitempty"`
	N          int    `json:"n,omitempty"`
	Of         int    `json:"of,omitempty"` // for mutants
	Violations int    `json:"violations,omitempty"`
	Note       string `json:"note,omitempty"` // a line to print as it is
}

// Add appends a tally to the file that the environment names; without one it does
// nothing. Test binaries run side by side, and one short write stays in one piece.
func Add(t testing.TB, tally Tally) {
	t.Helper()
	name := os.Getenv(FileVariable)
	if name == "" {
		return
	}
	line, err := json.Marshal(tally)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // whoever runs the tests names it
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(append(line, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// Sum is what all tallies come to.
type Sum struct {
	total map[Kind]Tally
	notes []string
}

// Read adds up a file of tallies.
func Read(r io.Reader) (Sum, error) {
	sum := Sum{total: map[Kind]Tally{}}
	decoder := json.NewDecoder(r)
	for {
		var tally Tally
		switch err := decoder.Decode(&tally); {
		case errors.Is(err, io.EOF):
			return sum, nil
		case err != nil:
			return sum, fmt.Errorf("reading the tallies: %w", err)
		}
		if tally.Note != "" {
			sum.notes = append(sum.notes, tally.Note)
		}
		total := sum.total[tally.Kind]
		total.N += tally.N
		total.Of += tally.Of
		total.Violations += tally.Violations
		sum.total[tally.Kind] = total
	}
}

// Notes are the lines that tests ask to print.
func (s Sum) Notes() []string { return s.notes }

// String is the proof line.
func (s Sum) String() string {
	parts := []string{"proof:"}
	violations := 0
	for _, kind := range kinds {
		total := s.total[kind]
		violations += total.Violations
		if kind == Mutants {
			parts = append(parts, fmt.Sprintf("%s=%d/%d", kind, total.N, total.Of))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s=%d", kind, total.N))
	}
	return strings.Join(append(parts, fmt.Sprintf("violations=%d", violations)), " ")
}

// Err tells what is wrong with the proof: a violation, a broken rule that no one
// noticed, or a kind that nobody tried.
func (s Sum) Err() error {
	var problems []error
	for _, kind := range kinds {
		total := s.total[kind]
		switch {
		case total.Violations > 0:
			problems = append(problems, fmt.Errorf("%s: %d violations", kind, total.Violations))
		case kind == Mutants && total.N < total.Of:
			problems = append(problems, fmt.Errorf("mutants: %d survive", total.Of-total.N))
		case total.N == 0:
			problems = append(problems, fmt.Errorf("%s: nothing was tried", kind))
		}
	}
	return errors.Join(problems...)
}
