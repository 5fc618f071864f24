package rotation_test

import (
	"fmt"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// exploration is one configuration of the explorer.
type exploration struct {
	// actors are the letters of [execution.live], and those of people: H rolls back one
	// version or moves the label back, X purges the entry, M forges metadata, W forges the
	// record.
	actors string
	opaque bool // revisions are IDs, as in AWS Secrets Manager
	faults int
	ticks  int
	stale  bool
	seeded bool // there is a token, and it is due
	// backward runs reads of one [rotation.Together] last first: the list after the
	// metadata.
	backward bool
}

func (c exploration) together() rotation.Together {
	if c.backward {
		return lastFirst
	}
	return rotation.OneByOne
}

// explorations returns the configurations of the test suite.
func explorations() []exploration {
	return []exploration{
		{actors: "RR", faults: 1, seeded: true},
		{actors: "RR", ticks: 1, stale: true, seeded: true},
		{actors: "CC", faults: 1},
		{actors: "R", faults: 3, ticks: 1, stale: true, seeded: true},
		{actors: "RS", faults: 1, ticks: 1, seeded: true},
		{actors: "RD", faults: 1, stale: true, seeded: true},
		{actors: "RH", faults: 2, ticks: 1, stale: true, seeded: true},
		{actors: "RRH", ticks: 1, stale: true, seeded: true},
		{actors: "RSH", ticks: 1, stale: true, seeded: true},
		{actors: "RCX", seeded: true}, // with a purge, a lagging server remains a risk: see the reliability guide
		{actors: "RRR", seeded: true},
		{actors: "DD", faults: 2, stale: true, seeded: true},

		// Neighbors: another resource on the same path, in another process.
		{actors: "DO", faults: 1, seeded: true},
		{actors: "RO", faults: 1, ticks: 1, seeded: true},
		{actors: "RE", faults: 1, seeded: true},
		{actors: "OE", faults: 1, seeded: true},
		{actors: "DP", faults: 1, seeded: true}, // someone forces a rotation while the entry is destroyed
		// Forgers: someone may write metadata, or the record.
		{actors: "FM", ticks: 1, seeded: true},
		{actors: "RM", ticks: 1, seeded: true},
		{actors: "FW", ticks: 1, seeded: true},
		// A copy of the store with its own schedule.
		{actors: "RV", faults: 1, ticks: 1, seeded: true},
		// Opaque revisions.
		{actors: "RR", opaque: true, faults: 1, seeded: true},
		{actors: "RH", opaque: true, faults: 2, ticks: 1, seeded: true},
		{actors: "RRH", opaque: true, ticks: 1, seeded: true},
		{actors: "RD", opaque: true, faults: 1, seeded: true},

		{actors: "RR", faults: 1, seeded: true, backward: true},
		{actors: "RS", faults: 1, ticks: 1, seeded: true, backward: true},
	}
}

func (c exploration) name() string {
	name := fmt.Sprintf("%s-%d-faults", c.actors, c.faults)
	if c.opaque {
		name += "-opaque"
	}
	if c.backward {
		name += "-backward"
	}
	return name
}
