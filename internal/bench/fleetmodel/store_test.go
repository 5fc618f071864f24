package fleetmodel_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// farStore is a store that is some way off: each call is one request, as the calls of
// Vault are.
type farStore struct {
	distance time.Duration

	mu       sync.Mutex
	requests int
	entries  map[string]*stored // by path
}

type stored struct {
	records []entry.Record // the last one is the current version
	mirror  entry.Mirror
}

// open is one request.
func (s *farStore) open(path string) (e *stored, done func()) {
	time.Sleep(s.distance)
	s.mu.Lock()
	s.requests++
	if s.entries[path] == nil {
		s.entries[path] = &stored{}
	}
	return s.entries[path], s.mu.Unlock
}

func (e *stored) revision() entry.Revision {
	if len(e.records) == 0 {
		return ""
	}
	return entry.Revision(strconv.Itoa(len(e.records)))
}

func (e *stored) condition() entry.Condition {
	if len(e.records) == 0 {
		return entry.Absent
	}
	return entry.Live
}

func (s *farStore) List(_ context.Context, folder entry.Location) (entries, folders []entry.Location, err error) {
	_, done := s.open("")
	defer done()
	seen := map[string]bool{}
	for path := range s.entries {
		rest, below := strings.CutPrefix(path, folder.Path+"/")
		if !below {
			continue
		}
		name, _, isFolder := strings.Cut(rest, "/")
		at := entry.Location{Mount: folder.Mount, Path: folder.Path + "/" + name}
		switch {
		case !isFolder:
			entries = append(entries, at)
		case !seen[name]:
			seen[name] = true
			folders = append(folders, at)
		}
	}
	return entries, folders, nil
}

func (s *farStore) Check(_ context.Context, at entry.Location, _ entry.Revision, _ time.Duration) error {
	_, done := s.open(at.Path)
	defer done()
	return nil
}

func (s *farStore) Look(_ context.Context, at entry.Location) (entry.Glance, error) {
	e, done := s.open(at.Path)
	defer done()
	return entry.Glance{
		Slots: []string{entry.Slot(at.Path)}, Identity: "far", Revision: e.revision(), Condition: e.condition(),
		Managed: len(e.records) > 0, Mirror: e.mirror,
	}, nil
}

func (s *farStore) Read(_ context.Context, at entry.Location) (entry.Version, error) {
	e, done := s.open(at.Path)
	defer done()
	version := entry.Version{Revision: e.revision(), Condition: e.condition()}
	if last := len(e.records) - 1; last >= 0 {
		version.Record = &e.records[last]
	}
	return version, nil
}

func (s *farStore) After(_ context.Context, at entry.Location, base entry.Revision) (entry.Version, error) {
	e, done := s.open(at.Path)
	defer done()
	if e.revision() == base {
		return entry.Version{Condition: entry.Absent}, nil
	}
	return entry.Version{Revision: e.revision(), Condition: entry.Live, Record: &e.records[len(e.records)-1]}, nil
}

func (s *farStore) Publish(_ context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	e, done := s.open(at.Path)
	defer done()
	if e.revision() != base {
		return entry.Published{}, entry.ErrSuperseded
	}
	e.records = append(e.records, record)
	return entry.Published{Revision: e.revision()}, nil
}

func (s *farStore) Describe(_ context.Context, at entry.Location, mirror entry.Mirror) error {
	e, done := s.open(at.Path)
	defer done()
	e.mirror = mirror
	return nil
}

func (s *farStore) Close(context.Context, entry.Location, entry.Revision, entry.Mirror, entry.Ending) error {
	return entry.ErrSuperseded
}

// Now is free: a run asks once.
func (s *farStore) Now(context.Context) (time.Time, error) { return time.Now(), nil }
