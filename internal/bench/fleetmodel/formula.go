package fleetmodel

import "time"

// Formula is the estimate that docs/guides/scale.md has for its readers: the list, and
// after it the longest of what the requests of the entries take that follow each other and
// what Vault takes; or the minutes of the rate limit that have to be waited for. A part
// that has no bound is 0.
func (f Fleet) Formula() time.Duration {
	pages, shards, side := f.pages(), f.shards(), f.concurrency()*f.shards()
	first := times(pages, f.PAIStrike) + times(f.Folders, f.Vault)/time.Duration(f.concurrency())
	inTurn := (times(f.Entries+4*f.Due, f.Vault) + times(2*f.Due, f.PAIStrike)) / time.Duration(side)
	entries := max(inTurn, rate(f.Entries+2*f.Due, f.Reads), rate(2*f.Due, f.Writes))
	return max(first+entries, f.waited(shards*pages+f.Due))
}

// waited returns how long a number of requests wait for windows of the rate limit.
func (f Fleet) waited(requests int) time.Duration {
	if f.Limit == 0 {
		return 0
	}
	return times((requests-1)/f.Limit, minute)
}

func times(n int, each time.Duration) time.Duration { return time.Duration(n) * each }

// rate returns the time for n requests at most per second; 0 = unlimited.
func rate(n, most int) time.Duration {
	if most == 0 {
		return 0
	}
	return times(n, time.Second) / time.Duration(most)
}
