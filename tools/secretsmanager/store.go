package main

import (
	"slices"
	"sync"
	"time"
)

// store contains the account's secrets by region. Each request has exclusive access, so that
// operations are atomic.
type store struct {
	mu      sync.Mutex
	regions map[string]*region
}

// region contains the secrets of one region.
type region struct {
	place
	secrets []*secret // oldest first
	gone    []listed  // deleted secrets that ListSecrets may still show
}

// region returns a region, which is created on first use. The caller holds the lock.
func (s *store) region(at place) *region {
	if s.regions == nil {
		s.regions = map[string]*region{}
	}
	if s.regions[at.region] == nil {
		s.regions[at.region] = &region{place: at}
	}
	return s.regions[at.region]
}

// find returns the secret for a SecretId, or nil if there is none.
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

// expire removes secrets whose recovery window has ended. AWS does so "as a background task
// with low priority"; here the next request does.
func (r *region) expire(now time.Time) {
	for _, s := range slices.Clone(r.secrets) {
		if !s.ends.IsZero() && !now.Before(s.ends) {
			r.remove(s, s.ends)
		}
	}
}

// remove deletes a secret permanently.
func (r *region) remove(s *secret, now time.Time) {
	r.secrets = slices.DeleteFunc(r.secrets, func(other *secret) bool { return other == s })
	r.gone = append(r.gone, listed{from: now, entry: s.listing(r.region)})
}

// note records the secret's current entry for ListSecrets.
func (r *region) note(s *secret, now time.Time) {
	s.history = append(s.history, listed{from: now, entry: s.listing(r.region)})
	// Of the entries older than the maximum lag, only the last can be listed.
	for len(s.history) > 1 && now.Sub(s.history[1].from) > maxLag {
		s.history = s.history[1:]
	}
	r.gone = slices.DeleteFunc(r.gone, func(l listed) bool { return now.Sub(l.from) > maxLag })
}

// listings returns the entries of ListSecrets at a time, oldest secrets first.
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
