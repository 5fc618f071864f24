package fleetmodel

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// The model's result matches the closed form where there is one.
func TestClosedForms(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		fleet Fleet
		want  time.Duration
	}{
		"one at a time, no limit: the sum of all latencies": {
			Fleet{Entries: 1000, Due: 10, Folders: 5, PAIStrike: 50 * ms, Vault: 10 * ms},
			11*50*ms + (1+5)*10*ms + 1000*10*ms + 10*(2*50+4*10)*ms,
		},
		"eight at a time, none due: an eighth of the reads": {
			Fleet{Entries: 8000, Folders: 8, Concurrency: 8, PAIStrike: 50 * ms, Vault: 10 * ms},
			81*50*ms + 2*10*ms + 1000*10*ms,
		},
		"every entry due, as many at a time as entries": {
			Fleet{Entries: 100, Due: 100, Concurrency: 100, PAIStrike: 50 * ms, Vault: 10 * ms},
			2*50*ms + 10*ms + (5*10+2*50)*ms,
		},
		"bound by the processor": {
			Fleet{Entries: 1000, Concurrency: 8, Processor: Processor{Start: 20 * ms, Page: 5 * ms, Look: ms}},
			20*ms + 11*5*ms + (1+1000)*ms,
		},
		"bound by what Vault writes: evenly spaced, the last one's way on top": {
			Fleet{Entries: 500, Due: 500, Concurrency: 500, Vault: 10 * ms, Writes: 100},
			4*10*ms + 1000*10*ms + 10*ms,
		},
		"bound by what Vault reads": {
			Fleet{Entries: 5000, Concurrency: 100, Vault: 10 * ms, Reads: 100},
			(1+5000)*10*ms + 2*10*ms,
		},
		"nothing to do": {Fleet{PAIStrike: 50 * ms, Vault: 10 * ms}, 60 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := story.fleet.Run().Took; got != story.want {
				t.Errorf("took %s, want %s", got, story.want)
			}
		})
	}
}

// The rate limit spreads the pages of each shard and the creates, but not the verifications,
// over the expected number of minutes.
func TestWindowsOfTheLimit(t *testing.T) {
	t.Parallel()
	f := Fleet{Entries: 1900, Due: 500, Shards: 5, Concurrency: 8, PAIStrike: 50 * ms, Vault: 10 * ms, Limit: 60, Announced: true}
	got := f.Run()
	if counted := 5*20 + 500; got.Windows != counted/60 || got.Refused != 0 || got.PAIStrike != counted+500 {
		t.Errorf("got %+v", got)
	}
	if got.Took < 9*minute || got.Took > 9*minute+15*time.Second {
		t.Errorf("took %s: nine windows are waited for", got.Took)
	}
	f.Announced = false
	got = f.Run()
	if got.Refused == 0 || got.Refused > (got.Windows-1)*f.Shards*f.Concurrency || got.PAIStrike != 600+500+got.Refused || got.Windows != 10 {
		t.Errorf("without announcement %+v", got)
	}
}

// Each entry is read once, by whichever shard it is in, and each shard reads the whole list.
func TestRequestsOfShards(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 3, 10} {
		f := Fleet{Entries: 3000, Due: 100, Folders: 7, Shards: shards, Concurrency: 8, PAIStrike: 50 * ms, Vault: 10 * ms, Seed: 3}
		got := f.Run()
		if got.PAIStrike != shards*31+2*100 || got.Reads != shards*8+3000+2*100 || got.Writes != 2*100 {
			t.Errorf("%d shards: %+v", shards, got)
		}
		if again := f.Run(); again != got {
			t.Errorf("the same fleet took %+v, then %+v", got, again)
		}
	}
}
