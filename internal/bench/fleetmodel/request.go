package fleetmodel

import "time"

// request makes a request, and returns when its answer is there. False means that it was
// not made or was refused, and when to try again.
func (s *simulation) request(it *shard, kind call, at time.Duration) (time.Duration, bool) {
	if counted(kind) {
		if wait, ok := s.enter(it, at); !ok {
			return wait, false
		}
	}
	sent := it.processor.takeFor(at, s.Processor.cost(kind))
	switch kind {
	case page, create, verify:
		s.result.PAIStrike++
		return sent + s.Fleet.PAIStrike, true
	case publish, describe:
		s.result.Writes++
		return s.writes.take(sent) + s.Vault, true
	default:
		s.result.Reads++
		return s.reads.take(sent) + s.Vault, true
	}
}

// counted reports whether a request counts for the management token. A new token is
// verified with itself.
func counted(kind call) bool { return kind == page || kind == create }

// enter lets a request to PAIStrike through, as package paistrike does: nothing is sent
// while a shard knows that the window is full, one request goes alone after that, and
// without an announcement only a refusal tells.
func (s *simulation) enter(it *shard, at time.Duration) (wait time.Duration, ok bool) {
	if at < it.shut {
		return it.shut, false
	}
	full, ends := s.limit.full(at)
	if full && s.Announced {
		it.shut, it.probed = at+wholeSeconds(ends-at)+announcedLater, false
		return it.shut, false
	}
	if full {
		s.result.PAIStrike++
		s.result.Refused++
		it.shut, it.probed = at+s.Fleet.PAIStrike+wholeSeconds(ends-at), false
		return it.shut, false
	}
	s.limit.admit(at)
	if it.shut > 0 && !it.probed {
		it.shut, it.probed = at+s.Fleet.PAIStrike, true
	}
	return 0, true
}

// cost is the processor time of a request.
func (p Processor) cost(kind call) time.Duration {
	switch kind {
	case page:
		return p.Page
	case list, look:
		return p.Look
	default:
		return p.Call
	}
}
