package vault

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Client calls one Vault. It logs in at its first call. It is safe for concurrent use.
// Create one with [New].
type Client struct {
	base       *url.URL
	config     Config
	transports transports
	session    session
	index      index

	mounts  flights[mountKey, Mount]
	healths flights[struct{}, serverHealth]
	life    flights[struct{}, TokenLife]
}

type mountKey struct{ namespace, mount string }

// Mount is Vault's description of a secrets engine.
type Mount struct {
	// UUID identifies the mount for as long as it exists. A new mount at the same path has
	// a different one.
	UUID string
	// KVVersion is 1 or 2, or 0 if the engine is not a KV store.
	KVVersion int
	// DeleteVersionAfter is how long the mount keeps a version readable. 0 means forever,
	// or unknown because the token may not read the mount's settings.
	DeleteVersionAfter time.Duration
}

// Mount describes the engine at mount. It makes one request per namespace and mount.
func (c *Client) Mount(ctx context.Context, namespace, mount string) (Mount, error) {
	key := mountKey{namespace: c.namespace(namespace), mount: strings.Trim(mount, "/")}
	return c.mounts.get(ctx, key, func(ctx context.Context) (Mount, error) { return c.readMount(ctx, key) })
}

func (c *Client) readMount(ctx context.Context, key mountKey) (Mount, error) {
	r := request{
		op: "reading", method: http.MethodGet,
		path: "sys/internal/ui/mounts/" + key.mount, namespace: key.namespace,
	}
	if err := checkPath(key.mount); err != nil {
		return Mount{}, r.failed(err)
	}
	got, err := c.do(ctx, r)
	if err != nil {
		return Mount{}, err
	}
	data, err := decode[struct {
		UUID, Type, Path string
		Options          map[string]string
	}](r, got)
	if err != nil {
		return Mount{}, err
	}
	// The endpoint responds to any path below a mount.
	if at := strings.Trim(data.Path, "/"); at != key.mount {
		return Mount{}, r.failed(fmt.Errorf("the secrets engine there is mounted at %q", at))
	}
	mount := Mount{UUID: data.UUID}
	switch {
	case data.Type != "kv" && data.Type != "generic":
	case data.Options["version"] == "2":
		mount.KVVersion = 2
		mount.DeleteVersionAfter, err = c.mountDeleteVersionAfter(ctx, key)
	default:
		mount.KVVersion = 1
	}
	return mount, err
}

// mountDeleteVersionAfter reads the mount's setting. Few tokens have permission for that,
// and most of the others do not need it.
func (c *Client) mountDeleteVersionAfter(ctx context.Context, key mountKey) (time.Duration, error) {
	r := request{
		op: "reading", method: http.MethodGet, path: key.mount + "/config",
		namespace: key.namespace, refusable: true,
	}
	got, err := c.do(ctx, r)
	if IsForbidden(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	config, err := decode[struct {
		DeleteVersionAfter duration `json:"delete_version_after"`
	}](r, got)
	return time.Duration(config.DeleteVersionAfter), err
}

// Capabilities returns the capabilities of the client's Vault token at each path, such as
// "secret/data/ci/paistrike", with one request.
func (c *Client) Capabilities(ctx context.Context, namespace string, paths ...string) (map[string][]string, error) {
	r := request{
		op: "asking", method: http.MethodPost, path: "sys/capabilities-self",
		body: map[string][]string{"paths": paths}, namespace: c.namespace(namespace),
	}
	got, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	data, err := decode[map[string]json.RawMessage](r, got)
	if err != nil {
		return nil, err
	}
	capabilities := make(map[string][]string, len(paths))
	for _, path := range paths {
		var list []string
		if json.Unmarshal(data[path], &list) != nil {
			return nil, r.failed(errors.New("the answer lacks a path that was asked for"))
		}
		capabilities[path] = list
	}
	return capabilities, nil
}

// TokenLife is how long a Vault token still works.
type TokenLife struct {
	TTL  time.Duration // 0 if it never expires
	Uses int           // remaining calls; 0 for any number
}

// usesNeeded is the maximum number of calls that a rotation makes with the Vault token,
// without retries.
const usesNeeded = 12

// enough returns an error if the token does not last for work that takes as long as
// needed.
func (l TokenLife) enough(needed time.Duration) error {
	switch {
	case l.TTL > 0 && l.TTL < needed:
		return tokenTooShort(l.TTL, needed)
	case l.Uses > 0 && l.Uses < usesNeeded:
		return tokenUsesTooFew(l.Uses)
	}
	return nil
}

// TokenLife returns how long the client's Vault token still works. It makes one request
// per client unless the token's uses are limited. A token without permission to look
// itself up counts as unlimited: [Client.Capabilities] shows whether it works at all.
func (c *Client) TokenLife(ctx context.Context) (TokenLife, error) {
	life, err := c.life.get(ctx, struct{}{}, func(ctx context.Context) (TokenLife, error) {
		r := request{
			op: "reading", method: http.MethodGet, path: "auth/token/lookup-self",
			namespace: c.loginNamespace(), refusable: true,
		}
		got, err := c.do(ctx, r)
		if IsForbidden(err) && !isDead(err) {
			return TokenLife{}, nil
		}
		if err != nil {
			return TokenLife{}, err
		}
		data, err := decode[struct {
			TTL        int64   `json:"ttl"`
			NumUses    int     `json:"num_uses"`
			ExpireTime *string `json:"expire_time"`
		}](r, got)
		life := TokenLife{TTL: time.Duration(data.TTL) * time.Second, Uses: data.NumUses}
		if data.ExpireTime != nil {
			life.TTL = max(life.TTL, 1) // in its last second; 0 would mean that it never expires
		}
		return life, err
	})
	if life.Uses > 0 { // it has fewer the next time
		c.life.drop(struct{}{})
	}
	return life, err
}

// ServerTime returns Vault's clock at this client's first request for it, in whole seconds
// UTC. It needs no token. If Vault is sealed, [IsSealed] reports true for the error,
// because no other call will work. A standby responds as well as the active server.
func (c *Client) ServerTime(ctx context.Context) (time.Time, error) {
	health, err := c.unsealed(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(health.ServerTimeUTC, 0).UTC(), nil
}

// unsealed returns the health of a Vault that is not sealed, at this client's first
// request for it.
func (c *Client) unsealed(ctx context.Context) (serverHealth, error) {
	return c.healths.get(ctx, struct{}{}, func(ctx context.Context) (serverHealth, error) {
		health, err := c.health(ctx, false)
		if err == nil && health.Sealed {
			err = &Error{Op: "reading", Path: healthPath, Status: http.StatusServiceUnavailable, Sealed: true}
		}
		return health, err
	})
}

// IgnoresNamespace reports whether a mount in a namespace is the same as the mount outside
// it: open source Vault ignores the namespace of a request.
func (c *Client) IgnoresNamespace(ctx context.Context, namespace, mount string) (bool, error) {
	if c.namespace(namespace) == "" {
		return false, nil
	}
	health, err := c.unsealed(ctx)
	if err != nil || health.Enterprise {
		return false, err
	}
	inside, err := c.Mount(ctx, namespace, mount)
	if err != nil {
		return false, err
	}
	key := mountKey{mount: strings.Trim(mount, "/")}
	outside, err := c.mounts.get(ctx, key, func(ctx context.Context) (Mount, error) { return c.readMount(ctx, key) })
	if err != nil {
		return false, nil //nolint:nilerr // whatever is outside, it is not this mount
	}
	return inside.UUID == outside.UUID, nil
}

const healthPath = "sys/health"

// healthy requests the same status in every state of Vault, because only the body counts.
var healthy = url.Values{
	"sealedcode": {"200"}, "uninitcode": {"200"}, "standbycode": {"200"},
	"performancestandbycode": {"200"}, "drsecondarycode": {"200"}, "removedcode": {"200"}, "haunhealthycode": {"200"},
}

// serverHealth contains the fields of sys/health that this package uses.
type serverHealth struct {
	Sealed        bool  `json:"sealed"`
	Enterprise    bool  `json:"enterprise"`
	ServerTimeUTC int64 `json:"server_time_utc"`
}

func (c *Client) health(ctx context.Context, once bool) (serverHealth, error) {
	r := request{op: "reading", method: http.MethodGet, path: healthPath, query: healthy, anonymous: true, once: once}
	var health serverHealth
	got, err := c.exchange(ctx, r, secret.Secret{})
	if err != nil {
		return health, err
	}
	if json.Unmarshal(got.body, &health) != nil || health.ServerTimeUTC <= 0 {
		return health, r.failed(errors.New("the answer is not one of Vault's"))
	}
	return health, nil
}

// sealed reports whether Vault reports itself as sealed.
func (c *Client) sealed(ctx context.Context) bool {
	health, err := c.health(ctx, true)
	return err == nil && health.Sealed
}

// namespace returns the given namespace, or the configured one if that is empty.
func (c *Client) namespace(given string) string {
	return cmp.Or(strings.Trim(given, "/"), c.config.Namespace)
}

// checkPath rejects a path that would become a different one on its way to Vault.
func checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("%q is not a path in Vault", path)
		}
	}
	if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("%q is not a path in Vault", path)
	}
	return nil
}

// duration decodes Vault's two notations: "3h25m19s", or seconds.
type duration time.Duration

// UnmarshalJSON decodes a duration. Anything else is an error.
func (d *duration) UnmarshalJSON(text []byte) error {
	var seconds int64
	if json.Unmarshal(text, &seconds) == nil {
		*d = duration(time.Duration(seconds) * time.Second)
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s == "" {
		*d = 0
		return nil
	}
	value, err := time.ParseDuration(s)
	*d = duration(max(value, 0)) // negative: disabled
	return err
}
