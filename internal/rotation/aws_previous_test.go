package rotation_test

import (
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// Consumers may pin the staging label AWSPREVIOUS to read the former token during its
// overlap. Whatever goes wrong with a rotation, and however often it is retried, the label
// is on the former token once there is a new one.
func TestAWSPreviousKeepsTheFormerToken(t *testing.T) {
	t.Parallel()
	rotate := scenarios()[1]
	for _, format := range []aws.Format{aws.JSON, aws.Plain} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			store := awsInMemory(format)
			_, calls := rotate.play(t, store, nil)
			tally := proof.Tally{Kind: proof.Faults}
			for n := 1; n <= calls; n++ {
				for _, what := range store.faults() {
					w := newWorld(t, store)
					rotate.setup(w)
					former := mustRecord(w)
					wire := &faultyWire{witness: newWitness(w), script: map[int]fault{n: what}}
					_ = rotate.run(t.Context(), w, wire)
					for _, deliver := range wire.late {
						deliver()
					}
					if err := rotate.run(t.Context(), w, w.wire()); err != nil {
						t.Fatalf("%s: the clean run failed: %v", describe(wire.script), err)
					}
					tally.N++
					if kept := store.former(w); kept == nil || kept.Secret != former.Secret || mustRecord(w).TokenID == former.TokenID {
						tally.Violations++
						t.Errorf("%s: AWSPREVIOUS is on %+v, want generation %d", describe(wire.script), kept, former.Gen)
					}
				}
			}
			proof.Add(t, tally)
		})
	}
}
