package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

// tree is a store that only lists folders.
type tree struct {
	mu      sync.Mutex
	folders map[string][]string
	asked   []string
}

func (f *tree) List(_ context.Context, folder entry.Location) (entries, folders []entry.Location, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, folder.Namespace+":"+folder.Mount+":"+folder.Path)
	if folder.Path == "closed" {
		return nil, nil, errors.New("permission denied")
	}
	for _, name := range f.folders[folder.Path] {
		at := folder
		inner, isFolder := strings.CutSuffix(name, "/")
		at.Path = strings.TrimPrefix(folder.Path+"/"+inner, "/")
		if isFolder {
			folders = append(folders, at)
		} else {
			entries = append(entries, at)
		}
	}
	return entries, folders, nil
}

// A walk finds every entry once, even if an entry and a folder have the same name, and lists
// each folder once.
func TestWalkFindsEveryEntry(t *testing.T) {
	t.Parallel()
	lister := &tree{folders: map[string][]string{
		"ci":           {"zapier", "team/", "team", "a b/"},
		"ci/team":      {"blue/", "red"},
		"ci/team/blue": {"deep"},
		"ci/a b":       {"ü"},
	}}
	found, err := fleet.Walk(t.Context(), lister, entry.Location{Namespace: "n", Mount: "secret", Path: "/ci/"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, at := range found {
		got = append(got, at.Path)
		if at.Namespace != "n" || at.Mount != "secret" || at.Key != "" {
			t.Errorf("%+v", at)
		}
	}
	if want := []string{"ci/a b/ü", "ci/team", "ci/team/blue/deep", "ci/team/red", "ci/zapier"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	slices.Sort(lister.asked)
	if want := []string{"n:secret:ci", "n:secret:ci/a b", "n:secret:ci/team", "n:secret:ci/team/blue"}; !slices.Equal(lister.asked, want) {
		t.Errorf("asked for %q, want %q", lister.asked, want)
	}
}

func TestWalkOfTheWholeMount(t *testing.T) {
	t.Parallel()
	lister := &tree{folders: map[string][]string{"": {"ci/", "top"}, "ci": {"a"}}}
	found, err := fleet.Walk(t.Context(), lister, entry.Location{Mount: "secret"}, 1)
	if err != nil || len(found) != 2 || found[0].Path != "ci/a" || found[1].Path != "top" {
		t.Errorf("%v, %v", found, err)
	}
}

// A walk that finds nothing fails, because the folder may be misspelled.
func TestWalkOfNothing(t *testing.T) {
	t.Parallel()
	found, err := fleet.Walk(t.Context(), &tree{}, entry.Location{Mount: "secret", Path: "ci"}, 1)
	if !errors.Is(err, fleet.ErrNothingFound) || !strings.Contains(err.Error(), "secret/ci") || found != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// If one folder cannot be listed, the walk fails, because a partial result must not pass for
// the whole folder.
func TestWalkThatMayNotList(t *testing.T) {
	t.Parallel()
	lister := &tree{folders: map[string][]string{"": {"open/", "closed/"}, "open": {"a"}}}
	if found, err := fleet.Walk(t.Context(), lister, entry.Location{Mount: "secret"}, 4); err == nil || found != nil {
		t.Errorf("%v, %v", found, err)
	}
}
