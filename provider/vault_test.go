package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// byConsumer marks the requests of the test itself, as a consumer or a person, to
// distinguish them from the provider's in the journals.
const byConsumer = "by-consumer"

// location is the current version of an entry, as a consumer sees it.
type location struct {
	Version  int            // in Vault
	Revision string         // in the format of the store
	Data     map[string]any // nil if nothing can be read
	record   struct {
		State    string `json:"state"`
		Gen      int    `json:"gen"`
		Owner    string `json:"owner"`
		Retiring []struct {
			ID          string    `json:"id"`
			RevokeAfter time.Time `json:"revoke_after"`
		} `json:"retiring"`
	}
}

func (e location) text(field string) string {
	text, _ := e.Data[field].(string)
	return text
}

// serves returns the ID of the token that the entry serves.
func (e location) serves() string {
	if e.record.State != "active" {
		return ""
	}
	return e.text("token_id")
}

// ask sends a request to Vault as root and decodes the data of the response into out.
func (s *stage) ask(method, path string, in, out any) int {
	s.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			s.Fatal(err)
		}
	}
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	request, err := http.NewRequestWithContext(context.Background(), method, s.vaultURL+"/v1/"+path+mark+byConsumer, &body)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", s.vaultRoot)
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := plainClient().Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	if out != nil {
		answer := struct{ Data any }{out}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && response.StatusCode == http.StatusOK {
			s.Fatal(err)
		}
	}
	return response.StatusCode
}

// must is [stage.ask], but a refusal ends the test.
func (s *stage) must(method, path string, in any) {
	s.Helper()
	if status := s.ask(method, path, in, nil); status >= 300 {
		s.Fatalf("%s %s: Vault answers %d", method, path, status)
	}
}

// entry reads secret/<path>, or the AWS secret with that name.
func (s *stage) entry(path string) location {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		return s.aws.entry(s, name)
	}
	var answer struct {
		Data     map[string]any
		Metadata struct{ Version int }
	}
	s.ask(http.MethodGet, "secret/data/"+path, nil, &answer)
	e := location{Version: answer.Metadata.Version, Revision: strconv.Itoa(answer.Metadata.Version), Data: answer.Data}
	_ = json.Unmarshal([]byte(e.text("paistrike")), &e.record) // "" and a foreign text serve no token
	return e
}

// secret returns what a consumer reads at secret/<path>.
func (s *stage) secret(path string) string {
	s.Helper()
	return s.entry(path).text("token")
}

// custom returns the custom metadata of secret/<path>, or the tags of the secret.
func (s *stage) custom(path string) map[string]string {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		return s.aws.tags(s, name)
	}
	var answer struct {
		Custom map[string]string `json:"custom_metadata"`
	}
	s.ask(http.MethodGet, "secret/metadata/"+path, nil, &answer)
	return answer.Custom
}

// writeByHand writes someone's own secret as the current version.
func (s *stage) writeByHand(path, secret string) {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		s.aws.put(s, name, `{"token":"`+secret+`"}`)
		return
	}
	s.must(http.MethodPut, "secret/data/"+path, map[string]any{"data": map[string]string{"token": secret}})
}

// deleteByHand deletes the current version of secret/<path> so that it can be restored.
func (s *stage) deleteByHand(path string) {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		s.aws.remove(s, name, false)
		return
	}
	s.must(http.MethodDelete, "secret/data/"+path, nil)
}

// purgeByHand removes secret/<path> with all its versions.
func (s *stage) purgeByHand(path string) {
	s.Helper()
	if name, ok := s.awsName(path); ok {
		s.aws.remove(s, name, true)
		return
	}
	s.must(http.MethodDelete, "secret/metadata/"+path, nil)
}

// entries returns the paths on the mount "secret", and the secrets of AWS.
func (s *stage) entries() []string {
	s.Helper()
	var found []string
	folders := []string{""}
	for len(folders) > 0 {
		folder := folders[0]
		folders = folders[1:]
		var answer struct{ Keys []string }
		s.ask(http.MethodGet, "secret/metadata/"+folder+"?list=true", nil, &answer)
		for _, key := range answer.Keys {
			if strings.HasSuffix(key, "/") {
				folders = append(folders, folder+key)
			} else {
				found = append(found, folder+key)
			}
		}
	}
	if s.aws != nil {
		found = append(found, s.aws.names(s)...)
	}
	return found
}

// vaultCalls returns the provider's calls to Vault, such as "GET
// secret/metadata/ci/paistrike".
func (s *stage) vaultCalls() []string {
	s.Helper()
	var calls []string
	for _, call := range testparts.Journal(s.T, s.vaultURL) {
		if !slices.Contains(strings.Split(call.Query, "&"), byConsumer) {
			calls = append(calls, call.Method+" "+strings.TrimPrefix(call.Path, "/v1/"))
		}
	}
	return calls
}
