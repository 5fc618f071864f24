package fleet

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Lister is Vault as a walk sees it; [*vault.Client] is one.
type Lister interface {
	List(ctx context.Context, namespace, mount, prefix string) ([]string, error)
}

// Walk gives the locations of all entries below a folder, sorted by path, without the
// field of the secret, which each entry knows itself. It makes one LIST for each
// folder; Vault's LIST has no pages. A folder that does not exist has no entries.
func Walk(ctx context.Context, lister Lister, folder entry.Location, concurrency int) ([]entry.Location, error) {
	var found []entry.Location
	folders := []string{strings.Trim(folder.Path, "/")}
	for len(folders) > 0 {
		names := make([][]string, len(folders))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(max(concurrency, 1))
		for i, path := range folders {
			group.Go(func() (err error) {
				names[i], err = lister.List(ctx, folder.Namespace, folder.Mount, path)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		var below []string
		for i, path := range folders {
			for _, name := range names[i] {
				full := strings.TrimPrefix(path+"/"+name, "/")
				if inner, isFolder := strings.CutSuffix(full, "/"); isFolder {
					below = append(below, inner)
					continue
				}
				found = append(found, entry.Location{Namespace: folder.Namespace, Mount: folder.Mount, Path: full})
			}
		}
		folders = below
	}
	slices.SortFunc(found, func(a, b entry.Location) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}
