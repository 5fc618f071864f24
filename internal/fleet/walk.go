package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Lister is the part of a store that a walk uses.
type Lister interface {
	// List returns the entries directly in a folder, and its subfolders.
	List(ctx context.Context, folder entry.Location) (entries, folders []entry.Location, err error)
}

// ErrNothingFound reports that a walk found no entry: the folder is misspelled, empty, or not
// accessible.
var ErrNothingFound = errors.New("no entry was found")

// Walk returns the locations of all entries below a folder, sorted by path, without the field
// of the secret, which is in each entry's record. It makes one list per folder. It returns an
// error that wraps [ErrNothingFound] if there is no entry.
func Walk(ctx context.Context, lister Lister, folder entry.Location, concurrency int) ([]entry.Location, error) {
	var found []entry.Location
	folder = folder.Entry()
	folder.Path = strings.Trim(folder.Path, "/")
	for folders := []entry.Location{folder}; len(folders) > 0; {
		entries, below := make([][]entry.Location, len(folders)), make([][]entry.Location, len(folders))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(max(concurrency, 1))
		for i, at := range folders {
			group.Go(func() (err error) {
				entries[i], below[i], err = lister.List(ctx, at)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		found = append(found, slices.Concat(entries...)...)
		folders = slices.Concat(below...)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w below %s", ErrNothingFound, folder)
	}
	slices.SortFunc(found, func(a, b entry.Location) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}
