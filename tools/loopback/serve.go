// Package loopback contains the code that the servers for tests share (tools/kv,
// tools/secretsmanager): listening only on loopback, another server's clock, and faults on
// purpose. It is a separate module, so that neither server depends on the other's modules.
package loopback

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Listen listens on an address, which must be on loopback: clients of these servers need no
// authorization.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("%s is not a loopback address", address)
	}
	return listener, nil
}

// Serve serves on a listener until ctx ends or, if stdin is not nil, until stdin ends. It
// calls listening with the address.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, stdin io.Reader, listening func(address string)) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	listening("http://" + listener.Addr().String())

	closed := make(chan struct{})
	if stdin != nil {
		go func() {
			_, _ = io.Copy(io.Discard, bufio.NewReader(stdin))
			close(closed)
		}()
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-closed:
	}
	// Requests held by a fault would block a graceful shutdown.
	return server.Close()
}

// IsLocal reports whether a Host header names loopback. A foreign page can point its own name
// at loopback.
func IsLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Clock is the clock of the server at URL, which answers {"now": RFC 3339}, or of this
// machine if URL is empty.
type Clock struct{ URL string }

// client reads another server's clock.
var client = http.Client{
	Timeout:       5 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Now returns the current time.
func (c Clock) Now(ctx context.Context) (time.Time, error) {
	if c.URL == "" {
		return time.Now(), nil //nolint:forbidigo // the one real clock
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return time.Time{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	var answer struct {
		Now time.Time `json:"now"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Now.IsZero() {
		return time.Time{}, fmt.Errorf("%s tells no time", c.URL)
	}
	return answer.Now, nil
}
