package main

import (
	"slices"
	"sync"
	"time"
)

// store are the secrets of the account, by region. Each request has it to itself,
// so that every operation is atomic.
type store struct {
	mu      sync.Mutex
	regions map[string]*region
}

// region are the secrets of one region.
type region struct {
	place
	secrets []*secret // oldest first
	gone    []listed  // of secrets that are no more; ListSecrets may still show them
}

// region returns one, which comes into being when it is first named. The lock is held.
func (s *store) region(at place) *region {
	if s.regions == nil {
		s.regions = map[string]*region{}
	}
	if s.regions[at.region] == nil {
		s.regions[at.region] = &region{place: at}
	}
	return s.regions[at.region]
}

// find returns the secret that a SecretId means, nil if there is none.
func (r *region) find(w wanted) *secret {
	i := slices.IndexFunc(r.secrets, func(s *secret) bool {
		if w.arn != "" {
			return s.arn == w.arn
		}
		return s.name == w.name
	})
	if i < 0 {
		return nil
	}
	return r.secrets[i]
}

// expire removes the secrets whose recovery window is over. AWS does so "as a
// background task with low priority"; here it is done by the next request.
func (r *region) expire(now time.Time) {
	for _, s := range slices.Clone(r.secrets) {
		if !s.ends.IsZero() && !now.Before(s.ends) {
			r.remove(s, s.ends)
		}
	}
}

// remove ends a secret for good.
func (r *region) remove(s *secret, now time.Time) {
	r.secrets = slices.DeleteFunc(r.secrets, func(other *secret) bool { return other == s })
	r.gone = append(r.gone, listed{from: now, entry: s.listing(r.region)})
}

// note records what ListSecrets shows of a secret from now on.
func (r *region) note(s *secret, now time.Time) {
	s.history = append(s.history, listed{from: now, entry: s.listing(r.region)})
	// Nobody asks for what was before the longest lag but its last entry.
	for len(s.history) > 1 && now.Sub(s.history[1].from) > maxLag {
		s.history = s.history[1:]
	}
	r.gone = slices.DeleteFunc(r.gone, func(l listed) bool { return now.Sub(l.from) > maxLag })
}

// listings returns what ListSecrets showed at a time, oldest secrets first.
func (r *region) listings(at time.Time) []secretListEntry {
	var list []secretListEntry
	for _, l := range r.gone {
		if at.Before(l.from) && !at.Before(time.Time(*l.entry.CreatedDate)) {
			list = append(list, l.entry)
		}
	}
	for _, s := range r.secrets {
		for _, l := range slices.Backward(s.history) {
			if !at.Before(l.from) {
				list = append(list, l.entry)
				break
			}
		}
	}
	return list
}
