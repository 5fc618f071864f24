package oneshot_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/oneshot"
)

// handshake is how long it takes to dial the server of these tests. Responses take no
// time.
const handshake = 100 * time.Millisecond

// pass lets time pass in a test's bubble.
func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // the bubble's clock is the injected one

// distant is a server in a test's bubble. It lives as long as the test.
type distant struct {
	*testing.T
	client   *http.Client
	address  string
	accepted chan net.Conn

	mu       sync.Mutex
	dialed   int
	waiting  map[net.Conn]bool // no request has arrived on it
	used     map[net.Conn]int  // how many requests have arrived on it
	requests int
}

type connectionKey struct{}

func newDistant(t *testing.T) *distant {
	t.Helper()
	d := &distant{T: t, address: "http://distant.example/", accepted: make(chan net.Conn), waiting: map[net.Conn]bool{}, used: map[net.Conn]int{}}
	server := &http.Server{
		Handler: d, ReadHeaderTimeout: time.Hour,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, c)
		},
		ConnState: d.state,
	}
	go func() { _ = server.Serve(d) }()
	t.Cleanup(func() { _ = server.Close() })
	d.client = &http.Client{Transport: oneshot.New(&http.Transport{DialContext: d.dial})}
	return d
}

func (d *distant) dial(context.Context, string, string) (net.Conn, error) {
	pass(handshake)
	here, there := net.Pipe()
	d.accepted <- there
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dialed++
	return here, nil
}

// Accept, Close and Addr implement [net.Listener].
func (d *distant) Accept() (net.Conn, error) {
	c, open := <-d.accepted
	if !open {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (d *distant) Close() error { close(d.accepted); return nil }
func (*distant) Addr() net.Addr { return &net.UnixAddr{Name: "distant", Net: "unix"} }

func (d *distant) state(c net.Conn, to http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to == http.StateNew {
		d.waiting[c] = true
	} else {
		delete(d.waiting, c)
	}
}

// ServeHTTP responds at once.
func (d *distant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	c, _ := r.Context().Value(connectionKey{}).(net.Conn)
	d.used[c]++
	_, _ = io.Copy(w, r.Body)
}

// post sends a request and returns how long it took.
func (d *distant) post() time.Duration {
	d.Helper()
	began := time.Now()
	response, err := send(d.T, d.client, d.address)
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "once" {
		d.Fatalf("the answer is %q: %v", body, err)
	}
	return time.Since(began)
}

func send(t *testing.T, client *http.Client, address string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("once"))
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

func (d *distant) expect(dialed, waiting int) {
	d.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dialed != dialed || len(d.waiting) != waiting {
		d.Errorf("%d connections were dialed and %d wait for a request, want %d and %d", d.dialed, len(d.waiting), dialed, waiting)
	}
}

// connections returns the number of connections that carried a request.
func (d *distant) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.used)
}

// closeWaiting closes all idle connections, like an impatient server.
func (d *distant) closeWaiting() {
	d.mu.Lock()
	waiting := slices.Collect(maps.Keys(d.waiting))
	d.mu.Unlock()
	for _, c := range waiting {
		_ = c.Close()
	}
}

func TestWhatFollowsWaitsForNoHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDistant(t)
		if took := d.post(); took != handshake {
			t.Errorf("the first request took %s", took)
		}
		d.expect(1, 0) // it may be the only one
		if took := d.post(); took != handshake {
			t.Errorf("the second request took %s", took)
		}
		d.expect(3, 1) // a third connection waits for the next request
		for range 3 {
			if took := d.post(); took != 0 {
				t.Errorf("a request that follows took %s", took)
			}
			pass(handshake)
		}
		d.expect(6, 1)
		if used := d.connections(); used != 5 {
			t.Errorf("5 requests came on %d connections", used)
		}
		pass(5 * time.Second)
		d.expect(6, 0) // no request came
		if took := d.post(); took != handshake {
			t.Errorf("a request after a pause took %s", took)
		}
		pass(time.Minute)
	})
}

// The proxy, or the decision to use none, depends on the host and port of each connection.
func TestProxyIsChosenByHostAndPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDistant(t)
		var asked []string
		d.client.Transport = oneshot.New(&http.Transport{DialContext: d.dial, Proxy: func(r *http.Request) (*url.URL, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			asked = append(asked, r.URL.Host)
			return nil, nil //nolint:nilnil // no proxy, as http.ProxyFromEnvironment says it
		}})
		d.address = "http://distant.example:8200/"
		d.post()
		d.post()
		d.expect(3, 1)
		if want := slices.Repeat([]string{"distant.example:8200"}, 3); !slices.Equal(asked, want) {
			t.Errorf("asked about %q, want %q", asked, want)
		}
		pass(time.Minute)
	})
}

// If the server closes a waiting connection, the request dials again and arrives once.
func TestADeadConnectionIsNotUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDistant(t)
		d.post()
		d.post()
		d.expect(3, 1)
		d.closeWaiting()
		synctest.Wait()
		if took := d.post(); took != handshake || d.requests != 3 {
			t.Errorf("the request took %s, the server has had %d", took, d.requests)
		}
		pass(time.Minute)
	})
}

// Over TLS, with many concurrent requests, each request has its own connection, with
// HTTP/1.1 and with HTTP/2.
func TestManyAtOnceOverTLS(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(url.PathEscape(name), func(t *testing.T) {
			t.Parallel()
			const rounds, atOnce = 3, 8
			var mu sync.Mutex
			from := map[string]int{}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				from[r.RemoteAddr]++
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			like, _ := server.Client().Transport.(*http.Transport)
			client := &http.Client{Transport: oneshot.New(like)}
			for range rounds {
				postTogether(t, client, server.URL, atOnce)
			}
			if len(from) != rounds*atOnce {
				t.Errorf("%d requests came on %d connections", rounds*atOnce, len(from))
			}
		})
	}
}

func postTogether(t *testing.T, client *http.Client, address string, count int) {
	t.Helper()
	var all sync.WaitGroup
	for range count {
		all.Go(func() {
			response, err := send(t, client, address)
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
		})
	}
	all.Wait()
}
