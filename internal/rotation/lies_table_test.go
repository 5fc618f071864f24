package rotation_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// lie is an untrue response of PAIStrike, or of something in between. Requests are passed
// to next, or not at all. victim is a token that was created manually.
type lie struct {
	name string
	tell func(w *world, next http.RoundTripper, victim string) http.RoundTripper
	// says is the code that a run must end with if every response lies, or "" if it may
	// succeed.
	says string
	// by is a mutant that this lie detects; see [noLieIsDecoration].
	by string
}

// html is the response of a login page or an ingress.
const html = "<!doctype html><title>Sign in</title>"

func page(r *http.Request, status int) *http.Response {
	response := answer(r, status, html)
	response.Header.Set("Content-Type", "text/html")
	return response
}

// asks reports whether a lie applies to a request.
type asks func(r *http.Request) bool

// toPAIStrike matches the requests with a method and a path that ends with end. "/*"
// stands for one token.
func toPAIStrike(method, end string) asks {
	return func(r *http.Request) bool {
		path := r.URL.Path
		if end == "/*" {
			_, id, one := strings.Cut(path, tokensPath+"/")
			return r.URL.Host == paistrikeHost && r.Method == method && one && id != "self"
		}
		return r.URL.Host == paistrikeHost && r.Method == method && strings.HasSuffix(path, end)
	}
}

// instead responds without performing the request.
func instead(next http.RoundTripper, about asks, say func(r *http.Request) *http.Response) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if about(r) {
			return say(r), nil
		}
		return next.RoundTrip(r)
	})
}

// changed performs the request and changes the response.
func changed(next http.RoundTripper, about asks, change func(body string) string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil || !about(r) || response.StatusCode >= 300 {
			return response, err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		text := change(string(body))
		response.Body, response.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		response.Header.Del("Content-Length")
		return response, nil
	})
}

// withID responds to a create with the ID of another token.
func withID(next http.RoundTripper, id string) http.RoundTripper {
	return changed(next, toPAIStrike("POST", tokensPath), func(body string) string {
		var token map[string]any
		if json.Unmarshal([]byte(body), &token) != nil {
			return body
		}
		token["id"] = id
		text, _ := json.Marshal(token) //nolint:errchkjson // a map of JSON values
		return string(text)
	})
}

// listed changes what a list contains.
func listed(next http.RoundTripper, change func(items []map[string]any) []map[string]any) http.RoundTripper {
	return changed(next, toPAIStrike("GET", tokensPath), func(body string) string {
		var list struct {
			Items []map[string]any `json:"items"`
			Next  any              `json:"next_cursor"`
		}
		if json.Unmarshal([]byte(body), &list) != nil || list.Items == nil {
			return body
		}
		list.Items = change(list.Items)
		text, err := json.Marshal(list)
		if err != nil {
			return body
		}
		return string(text)
	})
}

// without removes the tokens with a name from a list.
func without(next http.RoundTripper, name string) http.RoundTripper {
	return listed(next, func(items []map[string]any) []map[string]any {
		return slices.DeleteFunc(items, func(item map[string]any) bool {
			text, _ := item["name"].(string)
			return strings.HasPrefix(text, name)
		})
	})
}

// dated changes the Date header of PAIStrike's responses.
func dated(w *world, next http.RoundTripper, ahead time.Duration) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil && r.URL.Host == paistrikeHost {
			response.Header.Set("Date", w.now().Add(ahead).UTC().Format(http.TimeFormat))
		}
		return response, err
	})
}

// landing cuts a request off from its caller. The request is performed later.
func landing(w *world, next http.RoundTripper, about asks) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !about(r) {
			return next.RoundTrip(r)
		}
		again := copied(r)
		w.late = append(w.late, func() {
			if response, err := next.RoundTrip(again); err == nil {
				response.Body.Close()
			}
		})
		return page(r, http.StatusGatewayTimeout), nil
	})
}

// lies returns the lies of PAIStrike.
func lies() []lie {
	type teller = func(w *world, next http.RoundTripper, victim string) http.RoundTripper
	status := func(method, end string, status int) teller {
		return func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return instead(next, toPAIStrike(method, end), func(r *http.Request) *http.Response { return page(r, status) })
		}
	}
	date := func(ahead time.Duration) teller {
		return func(w *world, next http.RoundTripper, _ string) http.RoundTripper { return dated(w, next, ahead) }
	}
	return []lie{
		{"a login page answers the revocation with 200", status("DELETE", "/*", 200), "", "believe the answer to a revocation"},
		{"an ingress answers the revocation with 404", status("DELETE", "/*", 404), "", "believe the answer to a revocation"},
		{"an ingress answers the revocation with 410", status("DELETE", "/*", 410), "", "believe the answer to a revocation"},
		{"a proxy answers the revocation with 401", status("DELETE", "/*", 401), "", "believe the answer to a revocation"},
		{"the revocation is answered with a bare 204, and nothing is done", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return instead(next, toPAIStrike("DELETE", "/*"), func(r *http.Request) *http.Response { return answer(r, 204, "") })
		}, "", "believe the answer to a revocation"},
		{"a login page answers the list with 200", status("GET", tokensPath, 200), "PS106", "take a page for an empty list"},
		{"a proxy answers the list with 401", status("GET", tokensPath, 401), "PS101", "take a refused list for an empty one"},
		{"an ingress answers all calls about one token with 404", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return instead(next, func(r *http.Request) bool { return toPAIStrike("GET", "/*")(r) || toPAIStrike("DELETE", "/*")(r) }, func(r *http.Request) *http.Response { return page(r, 404) })
		}, "", "take a 404 for the end of a token"},
		{"a replica lags: the list lacks the entry's tokens", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return without(next, "CI/CD")
		}, "", "no overlap"},
		{"a replica lags: the list lacks the entry's tokens, and each is answered with 404", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return instead(without(next, "CI/CD"), toPAIStrike("GET", "/*"), func(r *http.Request) *http.Response { return answer(r, 404, `{"code":"not_found"}`) })
		}, "", "close the entry of another account"},
		{"the list is of its first page alone", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return changed(next, toPAIStrike("GET", tokensPath), func(body string) string {
				return strings.Replace(body, `"next_cursor"`, `"total":900,"next_cursor"`, 1)
			})
		}, "PS106", "stop at the first page"},
		{"every Date is a year ahead", date(365 * day), "", "let PAIStrike's clock decide"},
		{"every Date is three weeks behind", date(-21 * day), "", "rotate by a clock that is not believed"},
		{"the create is answered with another token's id", func(_ *world, next http.RoundTripper, victim string) http.RoundTripper {
			return withID(next, victim)
		}, "", "publish a token that was there before"},
		{"the create is answered with the id self", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return withID(next, "self")
		}, "", "publish an id that leads to no token"},
		{"a login page answers the create with 200, and it is done", func(_ *world, next http.RoundTripper, _ string) http.RoundTripper {
			return changed(next, toPAIStrike("POST", tokensPath), func(string) string { return html })
		}, "", "take an unreadable create for a refused one"},
		{"the create is done after the run has ended", func(w *world, next http.RoundTripper, _ string) http.RoundTripper {
			return landing(w, next, toPAIStrike("POST", tokensPath))
		}, "", "leave orphans"},
	}
}

// noLieIsDecoration tells each lie to an engine that lacks the rule against it, and
// expects the proof to fail.
func noLieIsDecoration(t *testing.T, program string) {
	liesComeToLight(t, program, byLies, lies())
	liesComeToLight(t, program, "^TestLies$/^aws$", awsInMemory(aws.JSON).lies())
}

func liesComeToLight(t *testing.T, program, tests string, lies []lie) {
	t.Helper()
	for _, l := range lies {
		t.Run("lie: "+l.name, func(t *testing.T) {
			t.Parallel()
			broken := slices.IndexFunc(mutants(), func(m mutant) bool { return m.name == l.by })
			if broken < 0 {
				t.Fatalf("no mutant is called %q", l.by)
			}
			m := mutants()[broken]
			m.by = tests + "/: " + regexp.QuoteMeta(l.name) + "$"
			if output, err := m.run(t, program); err == nil || !strings.Contains(output, "--- FAIL") {
				t.Errorf("does not bring %q to light", l.by)
			}
		})
	}
}
