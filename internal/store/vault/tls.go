package vault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/oneshot"
)

// transports are the two ways to send a request. Reads share connections. A write that
// must be sent only once uses a new connection, because on a kept-alive connection
// net/http sends a request a second time if the server has just closed it.
type transports struct {
	shared, fresh func() (http.RoundTripper, error)
}

func newTransports(config Config) transports {
	shared := sync.OnceValues(func() (http.RoundTripper, error) {
		if config.Transport != nil {
			return config.Transport, nil
		}
		return ownTransport(config)
	})
	fresh := sync.OnceValues(func() (http.RoundTripper, error) {
		transport, err := shared()
		if err != nil {
			return nil, err
		}
		if own, ok := transport.(*http.Transport); ok {
			return oneshot.New(own), nil
		}
		return transport, nil
	})
	return transports{shared: shared, fresh: fresh}
}

// pick returns the transport for a request. An error is caused by the settings.
func (t transports) pick(r request) (http.RoundTripper, error) {
	if r.once {
		return t.fresh()
	}
	return t.shared()
}

func ownTransport(config Config) (*http.Transport, error) {
	settings, err := tlsSettings(config)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       settings,
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   10,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}, nil
}

func tlsSettings(config Config) (*tls.Config, error) {
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: config.TLSServerName,
		// The user enables it by a setting that names its effect, as in Vault itself.
		InsecureSkipVerify: config.SkipTLSVerify, //nolint:gosec // the user's own choice
	}
	if config.ClientCertPEM != "" {
		pair, err := tls.X509KeyPair([]byte(config.ClientCertPEM), []byte(config.ClientKeyPEM))
		if err != nil {
			return nil, badSetting("client certificate and client key do not form a pair")
		}
		// Send it whatever authorities the server names: Vault's cert login trusts
		// certificates that the listener does not know.
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &pair, nil
		}
	}
	roots, err := roots(config)
	settings.RootCAs = roots
	return settings, err
}

// roots returns the authorities to trust, or nil for those of the system.
func roots(config Config) (*x509.CertPool, error) {
	if config.CACertFile == "" && config.CACertDir == "" && config.CACertPEM == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if config.AddToSystemRoots {
		// If the system's roots are not available, use only the configured ones.
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	if config.CACertPEM != "" && !pool.AppendCertsFromPEM([]byte(config.CACertPEM)) {
		return nil, badSetting("no certificate in the given CA text")
	}
	files, err := caFiles(config)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, badSetting("reading CA certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM([]byte(repairPEM(string(text)))) {
			return nil, badSetting("no certificate in %s", file)
		}
	}
	return pool, nil
}

// caFiles returns the files to read. It skips hidden entries of the directory, which
// Kubernetes uses for the versions of a mounted directory.
func caFiles(config Config) ([]string, error) {
	var files []string
	if config.CACertFile != "" {
		files = append(files, config.CACertFile)
	}
	if config.CACertDir == "" {
		return files, nil
	}
	entries, err := os.ReadDir(config.CACertDir)
	if err != nil {
		return nil, badSetting("reading CA certificates: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			files = append(files, filepath.Join(config.CACertDir, entry.Name()))
		}
	}
	return files, nil
}

// untrusted reports whether the server's certificate was not accepted. Another attempt
// would not change that.
func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
