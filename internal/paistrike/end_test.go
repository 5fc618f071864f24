package paistrike_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Only PAIStrike's list entry of a token decides whether it may be revoked.
func TestNothingIsRevokedWithoutAWarrant(t *testing.T) {
	t.Parallel()
	const ours, theirs, dead = `{"id":"tok_2","name":"ci","status":"active"}`, `{"id":"tok_2","name":"deploy","status":"active"}`, `{"id":"tok_2","name":"ci","status":"revoked"}`
	type on = map[string]http.HandlerFunc
	done := func() on {
		return on{"GET /tok_2": inTurn(answer(200, ours), answer(200, dead)), "DELETE /tok_2": answer(204, "")}
	}
	byLabel := paistrike.Recognized(func(t paistrike.Token) bool { return strings.HasPrefix(t.Name, "c") })
	for _, test := range []struct {
		name    string
		by      paistrike.Warrant
		answers on
		want    error
		made    []string
	}{
		{"the name that was sent", paistrike.Sent("ci"), done(), nil, []string{"GET /tok_2", "DELETE /tok_2", "GET /tok_2"}},
		{"one of the names that were sent", paistrike.Sent("before", "ci"), done(), nil, []string{"GET /tok_2", "DELETE /tok_2", "GET /tok_2"}},
		{"another's token under the id that an answer named", paistrike.Sent("ci"), on{"GET /tok_2": answer(200, theirs)}, paistrike.ErrNotOurs, []string{"GET /tok_2"}},
		{"a token without a name", paistrike.Sent(""), on{"GET /tok_2": answer(200, `{"id":"tok_2","status":"active"}`)}, paistrike.ErrNotOurs, []string{"GET /tok_2"}},
		{"no warrant", paistrike.Warrant{}, done(), paistrike.ErrNotOurs, []string{"GET /tok_2"}},
		{
			"recognized", byLabel, on{
				"GET /tok_2": inTurn(answer(200, ours), answer(200, dead)), "DELETE /tok_2": answer(204, ""), "GET /self": answer(200, `{"id":"tok_1"}`),
			}, nil, []string{"GET /tok_2", "GET /self", "DELETE /tok_2", "GET /tok_2"},
		},
		{"not recognized", byLabel, on{"GET /tok_2": answer(200, theirs)}, paistrike.ErrNotOurs, []string{"GET /tok_2"}},
		{"the run's own token", byLabel, on{"GET /tok_2": answer(200, ours), "GET /self": answer(200, `{"id":"tok_2"}`)}, paistrike.ErrOwn, []string{"GET /tok_2", "GET /self"}},
		{"a person named the run's own token", paistrike.Asked(), on{"GET /tok_2": answer(200, theirs), "GET /self": answer(200, `{"id":"tok_2"}`)}, paistrike.ErrOwn, []string{"GET /tok_2", "GET /self"}},
		{"revoked before", paistrike.Sent("ci"), on{"GET /tok_2": answer(200, dead)}, nil, []string{"GET /tok_2"}},
		{"not known, neither by its id nor in the list", paistrike.Sent("ci"), on{"GET ": answer(200, `[]`)}, paistrike.ErrUnknown, []string{"GET /tok_2", "GET "}},
		{"listed, though not found by its id", paistrike.Sent("ci"), on{"GET ": answer(200, `[`+theirs+`]`)}, paistrike.ErrNotOurs, []string{"GET /tok_2", "GET "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, byRoute(test.answers))
			err := s.client(t).End(t.Context(), "tok_2", test.by)
			made := s.made()
			for i := range made {
				made[i] = strings.Replace(made[i], "/api/v1/api-tokens", "", 1)
			}
			if !errors.Is(err, test.want) || err != nil && test.want == nil || !slices.Equal(made, test.made) {
				t.Errorf("error %v after %q, want %v after %q", err, made, test.want, test.made)
			}
		})
	}
}
