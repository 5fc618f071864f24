package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// service is an issue tracker like GitHub's and GitLab's that records its requests.
type service struct {
	gitLab bool
	issues []map[string]any
	calls  []string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Authorization") != "Bearer tracker-token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	call := r.Method + " " + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		call += "?" + r.URL.RawQuery
	}
	s.calls = append(s.calls, strings.TrimSpace(call+" "+string(body)))
	var in map[string]any
	_ = json.Unmarshal(body, &in) // a GET has no body
	number, text, opened := "number", "body", "open"
	if s.gitLab {
		number, text, opened = "iid", "description", "opened"
	}
	switch r.Method {
	case http.MethodGet:
		listed := []map[string]any{}
		for _, issue := range s.issues {
			if issue["state"] == opened {
				listed = append(listed, issue)
			}
		}
		_ = json.NewEncoder(w).Encode(listed)
		return
	case http.MethodPost:
		s.issues = append(s.issues, map[string]any{number: len(s.issues) + 1, "title": in["title"], text: in[text], "state": opened})
	default:
		at := int(r.URL.Path[len(r.URL.Path)-1]-'0') - 1
		if in["state"] == "closed" || in["state_event"] == "close" {
			s.issues[at]["state"] = "closed"
		} else {
			s.issues[at][text] = in[text]
		}
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, "{}")
}

// told returns the requests since the last call.
func (s *service) told() []string {
	calls := s.calls
	s.calls = nil
	return calls
}

// There is one issue per kind of finding. It is opened, left unchanged, updated, closed, and
// opened again.
func TestIssues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		list, post, change, close string
		gitLab                    bool
	}{
		"github": {
			list: "GET /repos/acme/tokens/issues?labels=paistrike-audit&page=1&per_page=100&state=open", post: "POST /repos/acme/tokens/issues ",
			change: `PATCH /repos/acme/tokens/issues/1 {"body":"two"}`, close: `PATCH /repos/acme/tokens/issues/1 {"state":"closed"}`,
		},
		"gitlab": {
			list: "GET /projects/acme%2Ftokens/issues?labels=paistrike-audit&page=1&per_page=100&state=opened", post: "POST /projects/acme%2Ftokens/issues ",
			change: `PUT /projects/acme%2Ftokens/issues/1 {"description":"two"}`, close: `PUT /projects/acme%2Ftokens/issues/1 {"state_event":"close"}`, gitLab: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{gitLab: test.gitLab}
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			tracker := Tracker{Service: name, API: server.URL, Repository: "acme/tokens", Token: secret.New("tracker-token")}
			created := map[string]string{"github": `{"body":"one","labels":["paistrike-audit"],"title":"orphan"}`, "gitlab": `{"description":"one","labels":"paistrike-audit","title":"orphan"}`}[name]
			for _, step := range []struct {
				body string
				want []string
			}{
				{"", []string{test.list}},
				{"one", []string{test.list, test.post + created}},
				{"one", []string{test.list}},
				{"two", []string{test.list, test.change}},
				{"", []string{test.list, test.close}},
				{"one", []string{test.list, test.post + created}},
			} {
				if err := tracker.Issues(context.Background(), []report.Issue{{Title: "orphan", Body: step.body}}); err != nil {
					t.Fatal(err)
				}
				if got := s.told(); !slices.Equal(got, step.want) {
					t.Errorf("%q: %q, want %q", step.body, got, step.want)
				}
			}
		})
	}
}

// An error names the server, but contains neither the address nor the token.
func TestErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?hunter2", http.StatusFound)
	}))
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, err := range map[string]error{
		"a redirect": Webhook(t.Context(), secret.New(refusing.URL+"/hunter2"), nil),
		"no server":  Webhook(t.Context(), secret.New(gone.URL+"/hunter2"), nil),
		"no address": Webhook(t.Context(), secret.New("http://[hunter2"), nil),
		"no issues":  Tracker{Service: "github", API: refusing.URL, Repository: "a/b", Token: secret.New("hunter2")}.Issues(t.Context(), nil),
	} {
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A webhook receives the report as JSON, once.
func TestWebhook(t *testing.T) {
	t.Parallel()
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
	}))
	t.Cleanup(server.Close)
	if err := Webhook(t.Context(), secret.New(server.URL+"/hook"), map[string]int{"errors": 1}); err != nil {
		t.Fatal(err)
	}
	if want := []string{`POST /hook application/json {"errors":1}`}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
