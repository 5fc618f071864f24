package paistrike

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Wed, 01 Jul 2026 12:00:00 GMT"
	local := func() time.Time { return time.Date(2026, 7, 1, 12, 0, 20, 0, time.UTC) }
	tests := []struct {
		name, in, date string
		want           time.Duration // 0 means nothing usable
	}{
		{"nothing", "", date, 0},
		{"seconds", "7", date, 7 * time.Second},
		{"seconds with spaces", " 7 ", date, 7 * time.Second},
		{"a fraction", "1.5", date, 1500 * time.Millisecond},
		{"zero", "0", date, 0},
		{"a day", "86400", date, 24 * time.Hour},
		{"more than a duration holds", "9999999999999999999", date, 100 * 365 * 24 * time.Hour},
		{"more than a float holds", strings.Repeat("9", 400), date, 100 * 365 * 24 * time.Hour},
		{"negative", "-5", date, 0},
		{"exponent", "1e9", date, 0},
		{"hex", "0x10", date, 0},
		{"infinite", "inf", date, 0},
		{"not a number", "NaN", date, 0},
		{"dots", "1.2.3", date, 0},
		{"one dot", ".", date, 0},
		{"words", "soon", date, 0},
		{"a date", "Wed, 01 Jul 2026 12:00:30 GMT", date, 30 * time.Second},
		{"a date in an old form", "Wednesday, 01-Jul-26 12:00:30 GMT", date, 30 * time.Second},
		{"a date gone by", "Wed, 01 Jul 2026 11:00:00 GMT", date, 0},
		{"a date without a Date header", "Wed, 01 Jul 2026 12:00:30 GMT", "", 10 * time.Second},
		{"a date with a broken Date header", "Wed, 01 Jul 2026 12:00:30 GMT", "today", 10 * time.Second},
	}
	for _, test := range tests {
		header := http.Header{"Retry-After": {test.in}, "Date": {test.date}}
		got, ok := retryAfter(header, local)
		if !ok {
			got = 0
		}
		if got != test.want || ok != (test.want > 0) {
			t.Errorf("%s: got %v, %v, want %v", test.name, got, ok, test.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, longest := range map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second, 5: 8 * time.Second, 6: 8 * time.Second, 1000: 8 * time.Second,
	} {
		for range 100 {
			if got := backoff(attempt); got < longest/2 || got > longest {
				t.Fatalf("pause after attempt %d is %v, want %v to %v", attempt, got, longest/2, longest)
			}
		}
	}
}

func TestSnakeCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"created_at": "created_at", "createdAt": "created_at", "CreatedAt": "created_at", "created-at": "created_at",
		"Created At": "created_at", "ID": "id", "tokenID": "token_id", "APIToken": "api_token", "expiresOn2": "expires_on2", "": "", "é": "é",
	} {
		if got := snakeCase(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Two keys that become one must not be chosen between by chance.
func TestKeysThatBecomeOne(t *testing.T) {
	t.Parallel()
	for range 50 {
		token, err := reader{}.decodeToken([]byte(`{"ID":"b","Id":"c","id":"a","createdAt":"2026-01-02","CreatedAt":"2026-01-01"}`))
		if err != nil || token.ID != "a" || token.CreatedAt.Day() != 1 {
			t.Fatalf("got %+v, %v", token, err)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{"https://a.example/x", "https://a.example/y?z", true},
		{"https://a.example", "https://A.example:443/", true},
		{"http://a.example", "http://a.example:80", true},
		{"https://a.example", "http://a.example", false},
		{"https://a.example", "https://a.example:8443", false},
		{"https://a.example", "https://b.a.example", false},
		{"https://a.example", "https://a.example.", false},
	}
	for _, test := range tests {
		a, errA := url.Parse(test.a)
		b, errB := url.Parse(test.b)
		if errA != nil || errB != nil || sameOrigin(a, b) != test.want {
			t.Errorf("%s and %s: %v, want %v", test.a, test.b, !test.want, test.want)
		}
	}
}

// Our transport for creates opens a connection for each and speaks HTTP/1.1, so
// that nothing below the client can send a request again.
func TestTransports(t *testing.T) {
	t.Parallel()
	single, pooled := transport(false), transport(true)
	if !single.DisableKeepAlives || single.Protocols.HTTP2() || pooled.DisableKeepAlives || !pooled.Protocols.HTTP2() {
		t.Errorf("single: %v, pooled: %v", single.Protocols, pooled.Protocols)
	}
}
