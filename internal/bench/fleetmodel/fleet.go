package fleetmodel

import "time"

// Fleet is a scheduled rotation: the entries, the shards that walk over them, and the two
// servers. A shard is a process of its own, and all shards start at once.
type Fleet struct {
	Entries int
	// Due is the number of entries that are due. They are chosen at random.
	Due     int
	Folders int // right below the one that is walked, which holds no entry itself
	Shards  int // 0 is 1

	// Concurrency is the number of entries that a shard processes concurrently; 0 = 1.
	Concurrency int

	// PAIStrike and Vault are the distances: what a request takes on a quiet server, from
	// its sending to its answer.
	PAIStrike, Vault time.Duration
	// Processor is the CPU time of a shard's machine.
	Processor Processor

	// Limit is the number of requests per minute that PAIStrike allows each token; 0 = unlimited.
	// The shards share one management token.
	Limit int
	// Announced says that the answers tell how many requests are left.
	Announced bool

	// Reads and Writes are how many Vault takes in a second; 0 is any number.
	Reads, Writes int

	// Seed decides which entries are due, and which shard has which entry.
	Seed uint64
}

// Processor is the processor time of a shard, in which one request follows the other.
type Processor struct {
	Start time.Duration // before the first request
	Page  time.Duration // for a page of PAIStrike's list
	Look  time.Duration // for an entry's metadata, or the list of a folder
	Call  time.Duration // for each further request of an entry that is due
}

// Result is the prediction for a run.
type Result struct {
	Took      time.Duration // until the last shard has ended
	PAIStrike int           // requests, refused ones included
	Refused   int           // with 429
	Windows   int           // minutes of the rate limit in which requests were counted
	Reads     int           // of Vault
	Writes    int           // to Vault
}

// pageSize is the number of tokens per page of PAIStrike's list.
const pageSize = 100

// pages is how many pages the list has with a token for each entry and the management
// token.
func (f Fleet) pages() int { return f.Entries/pageSize + 1 }

func (f Fleet) shards() int { return max(f.Shards, 1) }

func (f Fleet) concurrency() int { return max(f.Concurrency, 1) }
