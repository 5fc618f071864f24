package paistrike

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

const fuzzSecret = "pstk_sbx_FuzzedAndNeverShown0123456789abcdef"

func FuzzDecodeToken(f *testing.F) {
	for _, seed := range []string{
		`{"id":"tok_2","name":"ci","created_at":"2026-07-01T12:00:00Z","last_used_at":null,"expires_at":"2026-10-01","status":"active","token":"` + fuzzSecret + `"}`,
		`{"data":{"id":9007199254740993,"attributes":{"expired-at":1790812800000,"key":"` + fuzzSecret + `"}}}`,
		`{"token":{"id":"1","expiresAt":"Never"},"bearerToken":"` + fuzzSecret + `"}`,
		`[{"Id":"1","PlainTextToken":"` + fuzzSecret + `"}]`, `{"items":[{"id":"1"}],"next_cursor":"x","has_more":true}`,
		`{"results":[],"next":"https://a.example/?page=2"}`, `{"id":1e999,"expires_at":1e999}`, `null`, `""`, `[[]]`, `{`, "\ufeff{}",
		`{"result":{"data":{"token":{"result":{"data":{"id":"x"}}}}}}`, `{"id":"a","status":"Revoked","revoked":false,"revoked_at":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		token, err := reader{}.decodeToken(body)
		if err == nil && (token.ID == "" || token.Status != StatusActive && token.Status != StatusRevoked) {
			t.Errorf("a token without id or status: %+v", token)
		}
		for _, at := range []time.Time{token.CreatedAt, token.LastUsedAt, token.ExpiresAt} {
			if year := at.Year(); !at.IsZero() && (year < 0 || year > 9999) {
				t.Errorf("a time that cannot be written: %v", at)
			}
		}
		minted, err := reader{}.decodeMinted(body)
		if err == nil && (minted.ID == "" || minted.Secret.IsZero() || !sendable(minted.Secret.Reveal())) {
			t.Errorf("a minted token without id or usable secret: %+v", minted)
		}
		if err != nil && strings.Contains(err.Error(), "Fuzzed") {
			t.Errorf("the error repeats the body: %v", err)
		}
		page, err := reader{}.decodePage(body, http.Header{"Link": {string(body)}})
		for _, token := range page.tokens {
			if token.ID == "" {
				t.Errorf("a row without id: %+v", token)
			}
		}
		if err != nil && (len(page.tokens) > 0 || strings.Contains(err.Error(), "Fuzzed")) {
			t.Errorf("half a list, or its text in an error: %v", err)
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{
		`{"type":"about:blank","title":"x","status":422,"code":"validation_failed","errors":[{"pointer":"/a","code":"b","detail":"c"}]}`,
		`{"detail":[{"loc":["body",1],"msg":"m"}]}`, `{"error":{"code":7,"message":"m"}}`, `{"error":"e","error_description":"d"}`,
		`{"errors":["a",{"title":"t"}]}`, `{"errors":{"name":["taken"]}}`, `<html><title>502</title>`, "plain\x00\x1b[31m", "", `"x"`, `[1]`,
		`{"message":"` + fuzzSecret + `"}`, fuzzSecret[:20] + "<b>" + fuzzSecret[20:], "<title>" + strings.Repeat("é", 3000), "<<<<",
	} {
		f.Add([]byte(seed), fuzzSecret)
	}
	f.Add([]byte("zzeer\xd5Sho"), "zzeerSho") // halves that must not be joined after the search
	f.Add([]byte("x"), "")
	f.Add([]byte("\xff\xfe"), "\xff")
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		client := &Client{token: secret.New(value), now: time.Now}
		header := http.Header{"Location": {string(body)}, "X-Request-Id": {string(body)}, "Retry-After": {string(body)}}
		err := client.apiError(call{op: "op", method: "GET", address: "https://a.example/x"}, answer{status: 422, body: body, header: header}, 1)
		for _, text := range append([]string{err.Code, err.Message, err.RequestID, err.Location}, err.FieldCodes...) {
			if utf8.RuneCountInString(text) > 300 || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x1b\x00") {
				t.Errorf("not a line of 300 characters: %q", text)
			}
			if len(value) > 7 && strings.Contains(text, value) && !strings.Contains("[redacted]", value) {
				t.Errorf("%q shows %q", text, value)
			}
		}
		if err.Error() == "" {
			t.Error("no text")
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"7", "1.5", "86400", "9999999999999", "Wed, 01 Jul 2026 12:00:30 GMT", "soon", "-1", "1e9", "NaN", ".", ""} {
		f.Add(seed, "Wed, 01 Jul 2026 12:00:00 GMT")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		wait, ok := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, time.Now)
		if ok != (wait > 0) && ok {
			t.Errorf("Retry-After %q with Date %q is %v", value, date, wait)
		}
		client := &Client{attempts: 5, now: time.Now}
		if pause, again := client.pause(1, answer{header: http.Header{"Retry-After": {value}, "Date": {date}}}, outcomeBusy); again && (pause <= 0 || pause > maxWait) {
			t.Errorf("Retry-After %q pauses for %v", value, pause)
		}
	})
}

// Any rate limit header causes a pause of limited length at most.
func FuzzQuota(f *testing.F) {
	for _, seed := range []string{`"a";r=0;t=30`, "limit=1,remaining=0,reset=9", `"`, ";;,=", "999999999999999"} {
		f.Add(seed, seed, "0", "1782907230")
	}
	f.Fuzz(func(t *testing.T, limit, policy, remaining, reset string) {
		header := http.Header{}
		header.Set("RateLimit", limit)
		header.Set("RateLimit-Policy", policy)
		header.Set("X-RateLimit-Remaining", remaining)
		header.Set("X-RateLimit-Reset", reset)
		now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
		told, ok := readQuota(header, now)
		if ok && (told.left < 0 || told.resets <= 0) {
			t.Errorf("%v is %+v", header, told)
		}
		if pause, _ := (window{}).with(told, now).wait(now, 0); pause < 0 || pause > maxWait {
			t.Errorf("%v pauses for %v", header, pause)
		}
	})
}

// Whatever the settings and IDs are, accepted ones lead to the endpoint's host, below its
// prefix.
func FuzzAddress(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "", "tok_1"}, {"/", "/t/{id}/", "a/b"}, {"/v2/", "/t/{id}", ".."}, {"//evil.example", "/{id}", "x"}, {"/a", "/%2e%2e/{id}", "%"},
		{"/a?b", "/t{id}", "?"}, {"/a", "/t/{id}@evil.example", "//evil.example"}, {"/a", "/{id}\\..", "\x00"}, {"/\t", "/{id}#", "self"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, prefix, item, id string) {
		client, err := New(Config{Endpoint: "https://paistrike.example.com", Prefix: prefix, Routes: Routes{Item: item}})
		if err != nil {
			return
		}
		path, err := client.itemPath(client.routes.Item, id)
		if err != nil {
			return
		}
		req, err := client.request(t.Context(), call{method: http.MethodDelete, address: client.address(path, nil)})
		if err != nil {
			t.Fatalf("accepted settings make no request: %v", err)
		}
		below := strings.TrimPrefix(client.base, "https://paistrike.example.com")
		if req.URL.Host != "paistrike.example.com" || !strings.Contains(item, "?") && req.URL.RawQuery != "" || req.URL.Fragment != "" || !strings.HasPrefix(req.URL.EscapedPath(), below+"/") {
			t.Errorf("prefix %q, item %q and id %q lead to %s", prefix, item, id, req.URL)
		}
		for segment := range strings.SplitSeq(req.URL.Path, "/") {
			if segment == ".." && !strings.Contains(id, "/..") && !strings.Contains(id, "../") {
				t.Errorf("prefix %q, item %q and id %q climb: %s", prefix, item, id, req.URL)
			}
		}
	})
}
