package paistrike

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/oneshot"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Defaults of a [Config].
const (
	defaultPrefix    = "/api/v1"
	defaultAttempts  = 5
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "terraform-provider-paistrike"
)

// Config says which PAIStrike to talk to, as whom, and how patiently.
type Config struct {
	// Endpoint is the server's address: https, or http on a loopback host.
	// It is required: a default would send the token to a guess.
	Endpoint string
	// Prefix comes before every route. "" means "/api/v1", "/" means none.
	Prefix string
	// Token is the bearer. It may be empty if only [Client.As] makes calls.
	Token secret.Secret
	// Headers go out with every request, for an organization header or an
	// access proxy.
	Headers map[string]string
	// Auth says how the token is sent. The zero value is a bearer in Authorization.
	Auth Auth
	// Routes are the paths and names of the API. The zero value is [ContractV1].
	Routes Routes
	// UserAgent is sent as it is; "" means a default.
	UserAgent string

	// Transport carries the requests. Nil means two of our own: one that keeps
	// connections, and one without keep-alive for create, which must never be
	// sent twice.
	Transport http.RoundTripper
	// Sleep waits between attempts. Nil means a real timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now carries the server's time forward between its answers, and stands in if
	// the server has not said what time it is: for a Retry-After date without a
	// Date header, and for a lifetime in seconds before the first answer. Nil means
	// this machine's clock.
	Now func() time.Time
	// MaxAttempts is how often a request goes out at most; 0 means 5.
	MaxAttempts int
	// Timeout bounds one attempt, the reading of its answer included; 0 means
	// 30 seconds.
	Timeout time.Duration
}

// SettingError says which setting is wrong and why. It never holds the value,
// which may be a secret.
type SettingError struct {
	// Setting is the name users know: endpoint, api_prefix, api_token, headers,
	// or api_routes.collection and so on.
	Setting string
	Problem string
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Problem }

// Validate checks the settings without any I/O. Its error is a [*SettingError].
func (cfg Config) Validate() error {
	_, err := cfg.Base()
	if err != nil {
		return err
	}
	if !sendable(cfg.Token.Reveal()) {
		return &SettingError{"api_token", "has characters that no header can carry; was a line break copied with it?"}
	}
	if !sendable(cfg.UserAgent) {
		return &SettingError{"user_agent", "has characters that no header can carry"}
	}
	for name, value := range cfg.Headers {
		if err := checkHeader(name, value); err != nil {
			return err
		}
	}
	if err := cfg.Auth.Validate(); err != nil {
		return err
	}
	for name := range cfg.Headers {
		if strings.EqualFold(name, cfg.Auth.header()) {
			return &SettingError{"headers", name + " is set from the API token"}
		}
	}
	return cfg.Routes.Validate()
}

// New makes a client. It validates the settings and does no I/O.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := cfg.Base()
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:     base,
		token:    cfg.Token,
		headers:  map[string]secret.Secret{"User-Agent": secret.New(cmp.Or(cfg.UserAgent, defaultUserAgent))},
		auth:     cfg.Auth,
		routes:   cfg.Routes.complete(),
		pooled:   cfg.Transport,
		single:   cfg.Transport,
		sleep:    cfg.Sleep,
		now:      cfg.Now,
		attempts: cfg.MaxAttempts,
		timeout:  cfg.Timeout,
		clock:    &serverClock{},
		memory:   newMemory(),
		gate:     &gate{},
		own:      newOwnToken(),
	}
	c.setDefaults()
	for name, value := range cfg.Headers {
		c.headers[http.CanonicalHeaderKey(name)] = secret.New(value)
	}
	return c, nil
}

func (c *Client) setDefaults() {
	if c.pooled == nil {
		c.pooled, c.single = transport(true), oneshot.New(transport(false))
	}
	if c.sleep == nil {
		c.sleep = wallclock.Wait
	}
	if c.now == nil {
		c.now = time.Now //nolint:forbidigo // the one real clock
	}
	if c.attempts <= 0 {
		c.attempts = defaultAttempts
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
}

// transport makes a transport of our own. Without keep-alive it speaks HTTP/1.1
// only and uses each connection once, so that nothing below us sends a request
// again when a pooled connection turns out to be dead.
func transport(keepAlive bool) *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		DisableKeepAlives:      !keepAlive,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(keepAlive)
	return t
}

// Base joins endpoint and prefix, without a slash at the end: it names a PAIStrike as
// [Client.Endpoint] does, without a client. The error is a [*SettingError].
func (cfg Config) Base() (string, error) {
	// No error repeats the endpoint: a password may have been written into it.
	wrong := func(problem string) (string, error) { return "", &SettingError{"endpoint", problem} }
	if cfg.Endpoint == "" {
		return wrong("is required, such as https://paistrike.example.com; there is no default, because the token would be sent to it")
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return wrong("is not an address such as https://paistrike.example.com")
	}
	switch {
	case u.User != nil:
		return wrong("must not carry a user name or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return wrong("must not carry a query or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return wrong("must begin with https:// (http:// is for loopback addresses only)")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path != "" {
		if problem := checkPath(path); problem != "" {
			return wrong(problem)
		}
	}
	prefix := cfg.Prefix
	if prefix == "" {
		prefix = defaultPrefix
	}
	if problem := checkPath(prefix); problem != "" {
		return "", &SettingError{"api_prefix", problem}
	}
	return u.Scheme + "://" + u.Host + path + strings.TrimRight(prefix, "/"), nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// checkHeader refuses headers that would replace ours, change the meaning of a
// request, or make a transport send it twice.
func checkHeader(name, value string) error {
	if !isHeaderName(name) {
		return &SettingError{"headers", "there is a name in it that is not a header name"}
	}
	wrong := func(problem string) error { return &SettingError{"headers", name + " " + problem} }
	switch canonical := http.CanonicalHeaderKey(name); canonical {
	case "Authorization":
		return wrong("is set from the API token")
	case "Idempotency-Key", "X-Idempotency-Key":
		return wrong("must not be set: with it a create may be sent twice")
	case "Accept", "Accept-Encoding", "Connection", "Expect", "Host", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"X-Http-Method", "X-Http-Method-Override", "X-Method-Override":
		return wrong("is not yours to set")
	default:
		if strings.HasPrefix(canonical, "Content-") || strings.HasPrefix(canonical, "If-") {
			return wrong("is not yours to set")
		}
	}
	if !sendable(value) {
		return wrong("has a value with characters that no header can carry")
	}
	return nil
}

func isHeaderName(name string) bool {
	for _, r := range name {
		if !isLetterOrDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return false
		}
	}
	return name != ""
}

func isLetterOrDigit(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// sendable reports whether a header can carry the value.
func sendable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) &&
		strings.TrimSpace(value) == value
}
