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

// Config contains the settings of a [Client].
type Config struct {
	// Endpoint is the server's address: https, or http on a loopback host. It is required,
	// because the token is sent to it.
	Endpoint string
	// Prefix precedes every route. "" means "/api/v1". "/" means none.
	Prefix string
	// Token is the token of the calls. It may be empty if only [Client.As] makes calls.
	Token secret.Secret
	// Headers are sent with every request, for example an organization header or the
	// credentials of an access proxy.
	Headers map[string]string
	// Auth configures how the token is sent. The zero value means a bearer token in
	// Authorization.
	Auth Auth
	// Routes are the paths and field names of the API. The zero value means [ContractV1].
	Routes Routes
	// UserAgent is the User-Agent header. "" means a default.
	UserAgent string

	// Transport sends the requests. nil means two transports: one that keeps connections
	// alive, and one without keep-alive for creates, which must never be sent twice.
	Transport http.RoundTripper
	// Sleep waits between attempts. nil means a real timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now advances the server's time between its responses. It also replaces the server's
	// time if that is unknown: for a Retry-After date without a Date header, and for a
	// lifetime in seconds before the first response. nil means this machine's clock.
	Now func() time.Time
	// MaxAttempts limits how often a request is sent. 0 means 5.
	MaxAttempts int
	// Timeout limits one attempt, including reading the response. 0 means 30 seconds.
	Timeout time.Duration
}

// SettingError reports an invalid setting. It never contains the value, which may be a
// secret.
type SettingError struct {
	// Setting is the name that users know: endpoint, api_prefix, api_token, headers,
	// api_routes.collection and so on.
	Setting string
	Problem string
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Problem }

// Validate checks the settings without I/O. Its error is a [*SettingError].
func (cfg Config) Validate() error {
	_, err := cfg.Base()
	if err != nil {
		return err
	}
	if !sendable(cfg.Token.Reveal()) {
		return &SettingError{"api_token", "contains characters that are not allowed in a header; was a line break copied with it?"}
	}
	if !sendable(cfg.UserAgent) {
		return &SettingError{"user_agent", "contains characters that are not allowed in a header"}
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

// New returns a client after validating the settings. It does no I/O.
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

// transport returns a new transport. Without keep-alive it uses only HTTP/1.1 and a new
// connection for each request, so that no lower layer sends a request again when a pooled
// connection turns out to be dead.
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

// Base returns the endpoint joined with the prefix, without a trailing slash. It is the
// same as [Client.Endpoint], without a client. The error is a [*SettingError].
func (cfg Config) Base() (string, error) {
	// No error repeats the endpoint, because it may contain a password.
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
		return wrong("must not contain a username or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return wrong("must not contain a query or a fragment")
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

// checkHeader rejects headers that would replace the client's own, change the meaning of a
// request, or make a transport send it twice.
func checkHeader(name, value string) error {
	if !isHeaderName(name) {
		return &SettingError{"headers", "contains an invalid header name"}
	}
	wrong := func(problem string) error { return &SettingError{"headers", name + " " + problem} }
	switch canonical := http.CanonicalHeaderKey(name); canonical {
	case "Authorization":
		return wrong("is set from the API token")
	case "Idempotency-Key", "X-Idempotency-Key":
		return wrong("must not be set, because a create request could then be sent twice")
	case "Accept", "Accept-Encoding", "Connection", "Expect", "Host", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"X-Http-Method", "X-Http-Method-Override", "X-Method-Override":
		return wrong("cannot be set")
	default:
		if strings.HasPrefix(canonical, "Content-") || strings.HasPrefix(canonical, "If-") {
			return wrong("cannot be set")
		}
	}
	if !sendable(value) {
		return wrong("has a value with characters that are not allowed in a header")
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

// sendable reports whether value can be sent in a header.
func sendable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) &&
		strings.TrimSpace(value) == value
}
