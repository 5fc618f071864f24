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

// Lister is a store as a walk sees it.
type Lister interface {
	// List returns the entries right below a folder, and the folders in it.
	List(ctx context.Context, folder entry.Location) (entries, folders []entry.Location, err error)
}

// ErrNothingFound says that a walk found no entry: the folder is misspelled, is empty, or
// may not be listed.
var ErrNothingFound = errors.New("no entry was found")

// Walk returns the locations of all entries below a folder, sorted by path, without the
// field of the secret, which each entry knows itself. It makes one list for each folder.
// A walk that finds nothing is an error for which [ErrNothingFound] holds.
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
