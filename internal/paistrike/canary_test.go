package paistrike_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Whatever the server puts into a response, no error contains a secret: not the management
// token, not the new token's value (the canary here), and not the value of a static
// header.
func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"bearer": bearer, "new token": canary, "header": headerSecret} {
		for _, status := range []int{201, 200, 302, 401, 422, 500} {
			for where, handler := range leaks(status, secret) {
				t.Run(fmt.Sprintf("%s in %s of %d", name, where, status), func(t *testing.T) {
					t.Parallel()
					c := serve(t, handler).client(t, func(cfg *paistrike.Config) {
						cfg.MaxAttempts = 2
						cfg.Headers = map[string]string{"Cf-Access-Client-Secret": headerSecret}
					})
					for _, one := range []act{reading(), revoking(), creating(), getting()} {
						expectNoSecret(t, one.do(t.Context(), c), secret)
					}
				})
			}
		}
	}
}

const headerSecret = "access proxy's s3cret: never shown"

// leaks returns the places in which a server may repeat a secret.
func leaks(status int, secret string) map[string]http.HandlerFunc {
	half := secret[:len(secret)/2] + "…"
	quoted := fmt.Sprintf("%q", secret)
	return map[string]http.HandlerFunc{
		"detail":       answer(status, `{"detail":`+quoted+`,"code":"x"}`),
		"code":         answer(status, `{"code":`+quoted+`}`),
		"half a value": answer(status, `{"message":"bad token `+half+`"}`),
		"field codes":  answer(status, `{"code":"x","errors":[{"code":`+quoted+`,"pointer":`+quoted+`,"detail":`+quoted+`}]}`),
		"keys":         answer(status, `{`+quoted+`:["x"],"errors":{`+quoted+`:"y"}}`),
		"other fields": answer(status, `{"name":"ci","token":`+quoted+`,"password":`+quoted+`}`),
		"HTML":         answer(status, `<title>`+html.EscapeString(secret)+`</title>`),
		"a comment":    answer(status, `<p>x</p><!-- `+secret+` -->`),
		"plain text":   answer(status, "Authorization: Bearer "+secret),
		"a cut value":  answer(status, `{"id":"tok_2","token":"`+secret),
		"the very end": answer(status, strings.Repeat("x ", 130)+secret),
		"many times":   answer(status, strings.Repeat(secret+" ", 500)),
		"base64":       answer(status, base64.StdEncoding.EncodeToString([]byte(secret))),
		"URL escapes":  answer(status, "see /login?token="+url.QueryEscape(secret)),
		"JSON escapes": answer(status, `{"message":"\u0041`+strings.ReplaceAll(secret, "_", `\u005f`)+`"}`),
		"headers": answer(status, "", "Location", "/"+url.PathEscape(secret)+"?t="+url.QueryEscape(secret), "X-Request-Id", secret,
			"Retry-After", secret, "Link", "<https://"+url.PathEscape(secret)+`/>; rel="next"`),
		"a broken status line": func(w http.ResponseWriter, _ *http.Request) { raw(w, secret+"\r\n\r\n") },
		"a broken header":      func(w http.ResponseWriter, _ *http.Request) { raw(w, "HTTP/1.1 200 OK\r\n"+secret+"\r\n\r\n") },
		"a broken length": func(w http.ResponseWriter, _ *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: "+secret+"\r\n\r\n")
		},
	}
}

// raw writes bytes that need not be HTTP.
func raw(w http.ResponseWriter, text string) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if _, err = buffer.WriteString(text); err == nil {
		err = buffer.Flush()
	}
	if err = errors.Join(err, conn.Close()); err != nil {
		panic(err)
	}
}

func getting() act {
	act := reading()
	act.name = "get"
	act.do = func(ctx context.Context, c *paistrike.Client) error { _, err := c.Get(ctx, "tok_9"); return err }
	return act
}

// expectNoSecret searches an error, every error that it wraps, and every format verb.
func expectNoSecret(t *testing.T, err error, secret string) {
	t.Helper()
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		text += fmt.Sprintf("\n%v %+v %#v", inner, inner, inner)
	}
	for i := 0; i+10 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+10]) {
			t.Fatalf("the error shows %q:\n%s", secret[i:i+10], text)
		}
	}
	if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
		t.Errorf("the error shows the secret in base64:\n%s", text)
	}
	var api *paistrike.APIError
	if errors.As(err, &api) && utf8.RuneCountInString(api.Message) > 300 {
		t.Errorf("the message has %d characters", utf8.RuneCountInString(api.Message))
	}
	if strings.ContainsAny(err.Error(), "\r\n\x1b\x00") {
		t.Errorf("the error is not one line: %q", err)
	}
}

func TestOrdinaryTextsStayReadable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a management token may not create tokens":                                                     "a management token may not create tokens",
		"expires_at: 2026-10-01T00:00:00Z is too far away":                                             "expires_at: 2026-10-01T00:00:00Z is too far away",
		"name: at most 100 characters":                                                                 "name: at most 100 characters",
		"see https://docs.paistrike.example/api/errors":                                                "see https://docs.paistrike.example/api/errors",
		"token " + bearer + " was revoked":                                                             "token [redacted] was revoked",
		"token '" + bearer[:14] + "…' was revoked":                                                     "token '[redacted]…' was revoked",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U": "[redacted].[redacted].[redacted]",
		"line\none\tand \x1b[31mred\x00":                                                               "line one and [31mred",
		strings.Repeat("é", 400):                                                                       strings.Repeat("é", 299) + "…",
	} {
		_, err := serve(t, answer(403, fmt.Sprintf(`{"message":%s}`, asJSON(in)))).client(t).Create(t.Context(), "x", time.Time{})
		var api *paistrike.APIError
		if !errors.As(err, &api) || api.Message != want {
			t.Errorf("%q is shown as %q, want %q", in, api.Message, want)
		}
	}
}

func asJSON(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}
