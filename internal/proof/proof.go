// Package proof counts the cases that the tests behind the reliability guide have tried:
// faults, pairs of faults, states of the model, mutants, races, kills. Each test appends its
// numbers to a file.
//
// The tests call [Add]. The command in internal/proof/run starts them, or sums up the tallies
// of another command. This package proves nothing itself.
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

// FileVariable is the environment variable with the file for tallies.
const FileVariable = "PROOF_FILE"

// Kind is a kind of case.
type Kind string

// Kinds in the order of the proof line.
const (
	Faults  Kind = "faults"  // runs with one fault
	Pairs   Kind = "pairs"   // runs with two faults
	States  Kind = "states"  // states visited by the explorer
	Mutants Kind = "mutants" // mutants: N detected of Of
	Races   Kind = "races"   // runs that compete with others
	Kills   Kind = "kills"   // processes killed between two steps
	// Lies and Neighbors count only cases that at least one mutant fails.
	Lies      Kind = "lies"      // runs with a false answer
	Neighbors Kind = "neighbors" // states with another active resource, a forger or a copy
	Chaos     Kind = "chaos"     // runs with random faults, lies and neighbors
)

var kinds = []Kind{Faults, Pairs, States, Mutants, Races, Kills, Lies, Neighbors, Chaos}

// Tally is the number of cases that one test has tried.
type Tally struct {
	Kind       Kind   `json:"kind,omitempty"`
	N          int    `json:"n,omitempty"`
	Of         int    `json:"of,omitempty"` // for mutants
	Violations int    `json:"violations,omitempty"`
	Note       string `json:"note,omitempty"` // line to print unchanged
}

// Add appends a tally to the file in FileVariable, if it is set. Test binaries run in
// parallel; a single short write is atomic.
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

// Sum is the sum of tallies.
type Sum struct {
	total map[Kind]Tally
	notes []string
}

// Read sums up a file of tallies.
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

// Notes returns the lines that tests want printed.
func (s Sum) Notes() []string { return s.notes }

// String returns the proof line.
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

// Err returns an error for a violation, an undetected mutant, or a kind without cases.
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
