// Package loopback is what the servers for tests share (tools/kv, tools/secretsmanager):
// listening on loopback alone, the time of another server, and what goes wrong on
// purpose. It is a module of its own, so that neither server's modules become the other's.
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

// Listen opens an address, which must be on loopback: whoever reaches one of these
// servers may do anything with it.
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

// Serve answers on a listener until ctx ends or, if stdin is not nil, until that is at its
// end. It says where it listens.
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
	// Requests held back by a fault would keep a graceful end waiting.
	return server.Close()
}

// IsLocal reports whether a Host header names loopback: a page elsewhere can point its own
// name at it.
func IsLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Clock is the time of the server at URL, which answers {"now": RFC 3339}, or of this
// machine if URL is empty.
type Clock struct{ URL string }

// client looks at another server's clock.
var client = http.Client{
	Timeout:       5 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Now asks for the time.
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
