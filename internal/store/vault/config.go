package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Config configures the access to Vault. The package uses no other source: the caller
// reads the environment.
type Config struct {
	// Address is Vault's URL, with a path if a proxy requires one. Plain http is used only
	// if it is written here.
	Address string
	// Namespace is the default for a [entry.Location] without a namespace.
	Namespace string
	// AuthNamespace is the namespace to log in to. "" means Namespace.
	AuthNamespace string
	Login         Login

	// Identity distinguishes this Vault from all others, including a restored copy of it.
	// "" means the host and port of Address. Set it if one Vault has several addresses.
	Identity string
	// FormerIdentities are identities under which entries of this Vault were written
	// before.
	FormerIdentities []string

	// Certificates and keys may have lost their line breaks: see [repairPEM].
	//
	// CACertFile, CACertDir and CACertPEM together replace the system's roots.
	CACertFile, CACertDir, CACertPEM string
	// AddToSystemRoots adds those three to the system's roots instead.
	AddToSystemRoots bool
	// ClientCertPEM and ClientKeyPEM must be set together.
	ClientCertPEM, ClientKeyPEM string
	TLSServerName               string
	SkipTLSVerify               bool

	// Headers are sent with every request. Names that begin with X-Vault- are rejected:
	// token and namespace have their own settings.
	Headers map[string]string

	// MaxRetries is how often a read or a patch is retried after 412, 429, 5xx or no
	// response. 0 means 2, -1 means never. Publish and Purge are sent once. If the server
	// is not the active one, every request waits up to 30 s for an active one.
	MaxRetries int
	// RetryWaitMin and RetryWaitMax limit the pause between two attempts. 0 means 1 s and
	// 10 s. Vault's Retry-After takes precedence, up to 60 s.
	RetryWaitMin, RetryWaitMax time.Duration
	// Timeout limits one attempt. 0 means 30 s.
	Timeout   time.Duration
	UserAgent string

	// Transport sends the requests instead of the client's own transport. The TLS settings
	// above do not apply to it.
	Transport http.RoundTripper
	// Sleep waits between attempts. nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration) error
}

const (
	defaultRetries      = 2
	defaultRetryWaitMin = time.Second
	defaultRetryWaitMax = 10 * time.Second
	defaultTimeout      = 30 * time.Second
	maxRetryAfter       = 60 * time.Second
)

// New returns a client. It does no I/O: it reads certificate files and logs in at the
// first call.
func New(config Config) (*Client, error) {
	base, err := parseAddress(config.Address)
	if err != nil {
		return nil, err
	}
	if err := checkHeaders(config.Headers); err != nil {
		return nil, err
	}
	if (config.ClientCertPEM == "") != (config.ClientKeyPEM == "") {
		return nil, errors.New("vault: client certificate and client key go together")
	}
	if err := config.Login.check(); err != nil {
		return nil, err
	}
	if config.Login.Method == MethodAgent && config.Identity == "" {
		return nil, errors.New("vault: an agent's address says nothing of the Vault behind it: set an identity as well")
	}
	config.setDefaults()
	if err := config.repairCertificates(); err != nil {
		return nil, err
	}
	c := &Client{base: base, config: config}
	c.session.login = config.Login
	c.transports = newTransports(config)
	return c, nil
}

func (c *Config) setDefaults() {
	c.Namespace = strings.Trim(c.Namespace, "/")
	c.AuthNamespace = cmp.Or(strings.Trim(c.AuthNamespace, "/"), c.Namespace)
	switch {
	case c.MaxRetries == 0:
		c.MaxRetries = defaultRetries
	case c.MaxRetries < 0:
		c.MaxRetries = 0
	}
	c.RetryWaitMin = cmp.Or(c.RetryWaitMin, defaultRetryWaitMin)
	c.RetryWaitMax = cmp.Or(c.RetryWaitMax, max(defaultRetryWaitMax, c.RetryWaitMin))
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	if c.Sleep == nil {
		c.Sleep = wallclock.Wait
	}
}

// pasted matches a suffix that is not part of an address: that of Vault's UI in a browser,
// or the prefix of every API request.
var pasted = regexp.MustCompile(`(?:/ui(?:/vault(?:/.*)?)?|/v1)?/*$`)

func parseAddress(address string) (*url.URL, error) {
	if address == "" {
		return nil, errors.New("vault: address is missing")
	}
	base, err := url.Parse(address)
	switch {
	case err != nil:
		// The text of err repeats the address, which may contain a password.
		return nil, errors.New("vault: address is not a URL")
	case base.User != nil:
		return nil, errors.New("vault: address carries a user name; use headers for a proxy that asks for one")
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, fmt.Errorf("vault: address %q does not begin with https:// or http://", address)
	case base.Host == "":
		return nil, fmt.Errorf("vault: address %q names no host", address)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("vault: address %q has a query or a fragment", address)
	}
	base.Path = pasted.ReplaceAllString(base.Path, "")
	base.RawPath = ""
	return base, nil
}

// IdentityOf returns the identity for an address: its host and port.
func IdentityOf(address *url.URL) string {
	port := address.Port()
	switch {
	case port != "":
	case address.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(address.Hostname(), ".")), port)
}

func checkHeaders(headers map[string]string) error {
	for name := range headers {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Vault-") {
			return fmt.Errorf("vault: header %s is not for headers: token and namespace have their own settings", name)
		}
	}
	return nil
}
