package storeview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

const (
	mount       = "secret"
	readersMost = 8 // maximum number of concurrent requests
	entriesMost = 5000
)

// vault reads the metadata of entries in the KV v2 engine at "secret". Like a scheduler, it
// needs no permission to read secrets.
type vault struct {
	address, token string
	client         *http.Client
}

// Vault returns a store that reads the Vault at address over plain HTTP. The token must be
// allowed to list and read metadata.
func Vault(address, token string) sandbox.SecretStore {
	transport := &http.Transport{MaxIdleConnsPerHost: readersMost}
	return &vault{address: address, token: token, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

// Name implements [sandbox.SecretStore].
func (v *vault) Name() string { return "Vault" }

// Entries implements [sandbox.SecretStore]. It returns the entries that the provider manages,
// sorted by path.
func (v *vault) Entries(ctx context.Context) ([]sandbox.Entry, error) {
	paths, err := v.paths(ctx, "")
	if err != nil {
		return nil, err
	}
	found := make([]*sandbox.Entry, len(paths))
	failures := make([]error, len(paths))
	var all sync.WaitGroup
	slots := make(chan struct{}, readersMost)
	for i, path := range paths {
		slots <- struct{}{}
		all.Go(func() {
			found[i], failures[i] = v.entry(ctx, path)
			<-slots
		})
	}
	all.Wait()
	var entries []sandbox.Entry
	for _, e := range found {
		if e != nil {
			entries = append(entries, *e)
		}
	}
	return entries, errors.Join(failures...)
}

// paths lists all entries below a folder, which is "" or ends with a slash.
func (v *vault) paths(ctx context.Context, folder string) ([]string, error) {
	var answer struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	if _, err := v.get(ctx, folder+"?list=true", &answer); err != nil {
		return nil, err
	}
	var paths []string
	for _, key := range answer.Data.Keys {
		if !strings.HasSuffix(key, "/") {
			paths = append(paths, folder+key)
			continue
		}
		below, err := v.paths(ctx, folder+key)
		if err != nil {
			return nil, err
		}
		paths = append(paths, below...)
		if len(paths) > entriesMost {
			return nil, fmt.Errorf("Vault has more than %d entries", entriesMost) //nolint:staticcheck // a name
		}
	}
	return paths, nil
}

// entry reads one entry. It returns nil if the provider does not manage it.
func (v *vault) entry(ctx context.Context, path string) (*sandbox.Entry, error) {
	var answer struct {
		Data struct {
			Custom map[string]string `json:"custom_metadata"`
		} `json:"data"`
	}
	found, err := v.get(ctx, (&url.URL{Path: path}).EscapedPath(), &answer)
	custom := answer.Data.Custom
	if err != nil || !found || !managed(custom) {
		return nil, err
	}
	e := entryOf(mount+"/"+path, custom)
	return &e, nil
}

// get reads a path below the metadata of the mount. It reports whether the path exists.
func (v *vault) get(ctx context.Context, path string, into any) (found bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address+"/v1/"+mount+"/metadata/"+path, nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("X-Vault-Token", v.token)
	response, err := v.client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return true, json.NewDecoder(response.Body).Decode(into)
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("Vault answers %s to %s", response.Status, path) //nolint:staticcheck // a name
}
