package vault

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Locate splits a path such as "secret/ci/paistrike" into the mount and the path below it.
// Only Vault knows where to split, because the path of a mount may contain slashes.
func (s *Store) Locate(ctx context.Context, namespace, path string) (entry.Location, error) {
	path = strings.Trim(path, "/")
	r := request{
		op: "reading", method: http.MethodGet,
		path: "sys/internal/ui/mounts/" + path, namespace: s.client.namespace(namespace),
	}
	if err := checkPath(path); err != nil {
		return entry.Location{}, explain(r.failed(err))
	}
	got, err := s.client.do(ctx, r)
	if err != nil {
		return entry.Location{}, explain(err)
	}
	mount, err := decode[struct{ Path string }](r, got)
	if err != nil {
		return entry.Location{}, explain(err)
	}
	below, inside := strings.CutPrefix(path+"/", strings.Trim(mount.Path, "/")+"/")
	at := entry.Location{Namespace: namespace, Mount: strings.Trim(mount.Path, "/"), Path: strings.Trim(below, "/")}
	if !inside || at.Mount == "" || at.Path == "" {
		return entry.Location{}, explain(r.failed(fmt.Errorf("the secrets engine there is mounted at %q, and no entry below it is named", at.Mount)))
	}
	return at, nil
}
