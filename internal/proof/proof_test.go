package proof_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
)

const complete = `{"kind":"faults","n":132}
{"kind":"pairs","n":7908}
{"kind":"faults","n":144}
{"note":"soak: 10000 rotations"}
{"kind":"states","n":30000}
{"kind":"mutants","n":1,"of":1}
{"kind":"mutants","n":1,"of":1}
{"kind":"races","n":64}
{"kind":"kills","n":60}
{"kind":"lies","n":24}
{"kind":"neighbors","n":500}
{"kind":"chaos","n":6000}
`

func TestLineAddsUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, line, problem string }{
		{"all is well", complete, "proof: faults=276 pairs=7908 states=30000 mutants=2/2 races=64 kills=60 lies=24 neighbors=500 chaos=6000 violations=0", ""},
		{
			"a violation", complete + `{"kind":"kills","n":1,"violations":2}`,
			"proof: faults=276 pairs=7908 states=30000 mutants=2/2 races=64 kills=61 lies=24 neighbors=500 chaos=6000 violations=2", "kills: 2 violations",
		},
		{
			"a broken rule that nobody noticed", complete + `{"kind":"mutants","of":1}`,
			"proof: faults=276 pairs=7908 states=30000 mutants=2/3 races=64 kills=60 lies=24 neighbors=500 chaos=6000 violations=0", "mutants: 1 survive",
		},
		{
			"a kind that nobody tried", strings.Replace(complete, "races", "else", 1),
			"proof: faults=276 pairs=7908 states=30000 mutants=2/2 races=0 kills=60 lies=24 neighbors=500 chaos=6000 violations=0", "races: nothing was tried",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sum, err := proof.Read(strings.NewReader(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			problem := ""
			if err := sum.Err(); err != nil {
				problem = err.Error()
			}
			if sum.String() != tt.line || problem != tt.problem {
				t.Errorf("%s (%s)\nwant %s (%s)", sum, problem, tt.line, tt.problem)
			}
			if notes := sum.Notes(); len(notes) != 1 || notes[0] != "soak: 10000 rotations" {
				t.Errorf("notes = %q", notes)
			}
		})
	}
}

func TestAFileCutShortIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := proof.Read(strings.NewReader(complete + `{"kind":"kil`)); err == nil {
		t.Error("half a line passed for none")
	}
}

//nolint:paralleltest // it sets the environment
func TestAddAppends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tallies")
	t.Setenv(proof.FileVariable, file)
	proof.Add(t, proof.Tally{Kind: proof.Kills, N: 3})
	proof.Add(t, proof.Tally{Kind: proof.Kills, N: 4, Violations: 1})
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "{\"kind\":\"kills\",\"n\":3}\n{\"kind\":\"kills\",\"n\":4,\"violations\":1}\n"
	if string(got) != want {
		t.Errorf("the file holds %q, want %q", got, want)
	}
}
