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

func TestQuota(t *testing.T) {
	t.Parallel()
	const date = "Wed, 01 Jul 2026 12:00:00 GMT" // 1782907200 s
	none := quota{-1, 0}
	tests := []struct {
		name string
		in   map[string]string
		want quota
	}{
		{"nothing", nil, none},
		{"structured", map[string]string{"RateLimit": `"default";r=50;t=30`}, quota{50, 31 * time.Second}},
		{"structured, another order, spaces, a partition key", map[string]string{"RateLimit": ` "a, b; c" ; t=30; pk=:dHJpYWw=: ;r=50`}, quota{50, 31 * time.Second}},
		{"structured, the tightest of two", map[string]string{"RateLimit": `"hour";r=900;t=3000, "burst";r=5;t=1`}, quota{5, 2 * time.Second}},
		{"structured, none left", map[string]string{"RateLimit": `"default";r=0;t=0`, "RateLimit-Policy": `"default";q=10;w=20`}, none},
		{"structured, the time is the policy's", map[string]string{"RateLimit": `"b";r=7`, "RateLimit-Policy": `"a";q=9;w=1, "b";q=10;w=20`}, quota{7, 21 * time.Second}},
		{"structured, without a time", map[string]string{"RateLimit": `"b";r=7`}, none},
		{"structured, nothing that is a number", map[string]string{"RateLimit": `"b";r=x;t=-3`}, none},
		{"draft 07", map[string]string{"RateLimit": "limit=100, remaining=50, reset=30", "RateLimit-Policy": "100;w=60"}, quota{50, 31 * time.Second}},
		{"drafts up to 06", map[string]string{"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "50", "RateLimit-Reset": "30"}, quota{50, 31 * time.Second}},
		{"X, in seconds", map[string]string{"X-RateLimit-Remaining": "50", "X-RateLimit-Reset": "30"}, quota{50, 31 * time.Second}},
		{"X, a point in time", map[string]string{"X-RateLimit-Remaining": "50", "X-RateLimit-Reset": "1782907230"}, quota{50, 31 * time.Second}},
		{"X, in milliseconds", map[string]string{"X-Rate-Limit-Remaining": "50", "X-Rate-Limit-Reset": "1782907230500"}, quota{50, 31500 * time.Millisecond}},
		{"X, a point gone by", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1782907000"}, quota{0, time.Second}},
		{"X, a point in time without a Date", map[string]string{"Date": "", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1782907230"}, quota{1, 21 * time.Second}},
		{"X, without a reset", map[string]string{"X-RateLimit-Remaining": "50"}, none},
		{"X, longer than a number", map[string]string{"X-RateLimit-Remaining": "50", "X-RateLimit-Reset": strings.Repeat("9", 30)}, none},
		{"X, negative", map[string]string{"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "30"}, none},
	}
	for _, test := range tests {
		header := http.Header{"Date": {date}}
		for name, value := range test.in {
			header.Set(name, value)
		}
		got, ok := readQuota(header, time.Date(2026, 7, 1, 12, 0, 10, 0, time.UTC))
		if !ok {
			got = none
		}
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
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

// If two keys become the same, the choice between them is not random.
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

// The transport for creates opens a connection for each and uses HTTP/1.1, so that no
// layer below the client can send a request again.
func TestTransports(t *testing.T) {
	t.Parallel()
	single, pooled := transport(false), transport(true)
	if !single.DisableKeepAlives || single.Protocols.HTTP2() || pooled.DisableKeepAlives || !pooled.Protocols.HTTP2() {
		t.Errorf("single: %v, pooled: %v", single.Protocols, pooled.Protocols)
	}
}

// How many calls may be in flight while no limit is announced.
func TestCallsInFlightWithoutAnAnnouncedLimit(t *testing.T) {
	t.Parallel()
	serve := func(s silence, calls int) silence {
		for range calls {
			s = s.answered(false, false)
		}
		return s
	}
	met := serve(silence{}, 120).answered(true, false)
	for name, tt := range map[string]struct {
		silence silence
		want    int
	}{
		"at first":                                   {silence{}, 4},
		"after a thousand calls":                     {serve(silence{}, 1000), 9},
		"after a refusal":                            {met, 4},
		"when others are refused, too":               {met.answered(true, true), 4},
		"two calls before the next refusal":          {serve(met, 118), 2},
		"when the next refusal is due":               {serve(met, 120), 1},
		"a call that was sent before counts as well": {serve(met.answered(false, true), 120), 1},
		"when it does not come":                      {serve(met, 151), 4},
		"refused at once":                            {silence{}.answered(true, false), 4},
	} {
		flying := 0
		for tt.silence.room(flying) {
			flying++
		}
		if flying != tt.want {
			t.Errorf("%s: %d calls in flight, want %d", name, flying, tt.want)
		}
	}
}
