package paistrike_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// A create succeeds if its token has the name that was sent. Someone else's token is never
// revoked instead.
func TestCreatedTokenIsTheOneAskedFor(t *testing.T) {
	t.Parallel()
	created := func(fields string) http.HandlerFunc { return answer(201, `{`+fields+`,"token":"`+canary+`"}`) }
	const named, nameless, foreign = `{"id":"tok_2","name":"ci"}`, `{"id":"tok_2"}`, `{"id":"tok_2","name":"deploy"}`
	type on = map[string]http.HandlerFunc
	tests := []struct {
		name    string
		answers on
		want    string // "" if the create succeeds
		id      string // in the error
		revoked bool
		made    []string
	}{
		{"named", on{"POST ": created(`"id":"tok_2","name":"ci"`)}, "", "", false, []string{"POST "}},
		{"nameless, and read by id", on{"POST ": created(`"id":"tok_2"`), "GET /tok_2": answer(200, named)}, "", "", false, []string{"POST ", "GET /tok_2"}},
		{"nameless, and listed", on{"POST ": created(`"id":"tok_2"`), "GET ": answer(200, `[`+named+`]`)}, "", "", false, []string{"POST ", "GET /tok_2", "GET "}},
		{"nameless, and not to be found", on{"POST ": created(`"id":"tok_2"`), "GET ": answer(200, `[]`)}, "there is no such token", "tok_2", false, []string{"POST ", "GET /tok_2", "GET "}},
		{
			"nameless everywhere: it ends itself", on{
				"POST ": created(`"id":"tok_2"`), "GET /tok_2": answer(200, nameless), "DELETE /self": answer(204, ""), "GET /self": answer(401, ""),
			}, "does not contain the name that was sent", "tok_2", true, []string{"POST ", "GET /tok_2", "DELETE /self", "GET /self"},
		},
		{
			"nameless everywhere, and it does not end", on{
				"POST ": created(`"id":"tok_2"`), "GET /tok_2": answer(200, nameless), "DELETE /self": answer(204, ""), "GET /self": answer(200, nameless),
			}, "still active", "tok_2", false, []string{"POST ", "GET /tok_2", "DELETE /self", "GET /self"},
		},
		{"someone else's id", on{"POST ": created(`"id":"tok_2","name":"deploy"`), "GET /tok_2": answer(200, foreign)}, "was not changed", "tok_2", false, []string{"POST ", "GET /tok_2"}},
		{"nameless, and someone else's id", on{"POST ": created(`"id":"tok_2"`), "GET /tok_2": answer(200, foreign)}, "was not changed", "tok_2", false, []string{"POST ", "GET /tok_2", "GET /tok_2"}},
		{
			"an odd name in the answer alone", on{
				"POST ": created(`"id":"tok_2","name":"CI (1)"`), "GET /tok_2": inTurn(answer(200, named), answer(200, named), answer(200, `{"id":"tok_2","status":"revoked"}`)), "DELETE /tok_2": answer(204, ""),
			}, "different names of the token", "tok_2", true, []string{"POST ", "GET /tok_2", "GET /tok_2", "DELETE /tok_2", "GET /tok_2"},
		},
		{"the id self", on{"POST ": created(`"id":"self","name":"ci"`)}, "does not lead to a token", "", false, []string{"POST "}},
		{"an id with a slash", on{"POST ": created(`"id":"a/b","name":"ci"`)}, "does not lead to a token", "", false, []string{"POST "}},
		{"an id that climbs", on{"POST ": created(`"id":"..","name":"ci"`)}, "does not lead to a token", "", false, []string{"POST "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, byRoute(test.answers))
			minted, err := s.client(t).Create(t.Context(), "ci", time.Time{})
			made := s.made()
			for i := range made {
				made[i] = strings.Replace(made[i], "/api/v1/api-tokens", "", 1)
			}
			if !slices.Equal(made, test.made) {
				t.Errorf("made %q, want %q", made, test.made)
			}
			if test.want == "" {
				mustNot(t, err)
				if minted.Name != "ci" || minted.ID != "tok_2" || minted.Secret.Reveal() != canary {
					t.Errorf("got %+v", minted)
				}
				return
			}
			unknown, ok := errors.AsType[*paistrike.UnknownOutcomeError](err)
			if !ok || unknown.ID != test.id || unknown.Revoked != test.revoked || !strings.Contains(err.Error(), test.want) || !minted.Secret.IsZero() {
				t.Errorf("got %v (%+v), want %q", err, unknown, test.want)
			}
		})
	}
}

// scripted is a PAIStrike that loses the response to a create.
type scripted struct {
	create  error
	list    []paistrike.Token
	listing error
	revoke  error
	revoked []string
	created int
}

func (s *scripted) Create(context.Context, string, time.Time) (paistrike.Minted, error) {
	s.created++
	return paistrike.Minted{}, s.create
}
func (s *scripted) List(context.Context) ([]paistrike.Token, error) { return s.list, s.listing }

func (s *scripted) End(_ context.Context, id string, by paistrike.Warrant) error {
	if !by.Covers(paistrike.Token{ID: id, Name: "ci"}) || by.Covers(paistrike.Token{ID: id, Name: "deploy"}) {
		return errors.New("another warrant than the name that was sent")
	}
	s.revoked = append(s.revoked, id)
	return s.revoke
}

func TestMintOnceSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	cutOff, down := errors.New("EOF"), errors.New("down")
	lost := func(id string) error { return &paistrike.UnknownOutcomeError{Name: "ci", ID: id, Err: cutOff} }
	ours, theirs := paistrike.Token{ID: "tok_2", Name: "ci", Status: "active"}, paistrike.Token{ID: "tok_3", Name: "deploy", Status: "active"}
	dead := paistrike.Token{ID: "tok_2", Name: "ci", Status: "revoked"}
	tests := []struct {
		name    string
		api     scripted
		want    *paistrike.LostError // nil if the create's own error is returned
		text    string
		revokes []string
	}{
		{"refused", scripted{create: down}, nil, "down", nil},
		{"made", scripted{}, nil, "", nil},
		{"lost, and found", scripted{create: lost(""), list: []paistrike.Token{theirs, ours}}, &paistrike.LostError{ID: "tok_2", Revoked: true}, `token tok_2 named "ci" cannot be used and was revoked`, []string{"tok_2"}},
		{"lost, and not there", scripted{create: lost(""), list: []paistrike.Token{theirs}}, &paistrike.LostError{MayExist: true}, `may exist, or appear later`, nil},
		{"lost, and nobody can look", scripted{create: lost(""), listing: down}, &paistrike.LostError{MayExist: true}, "EOF; then down", nil},
		{"lost, found, and it stays", scripted{create: lost(""), list: []paistrike.Token{ours}, revoke: down}, &paistrike.LostError{ID: "tok_2", MayExist: true}, "may still be active", []string{"tok_2"}},
		{"lost, and revoked by someone", scripted{create: lost(""), list: []paistrike.Token{dead}}, &paistrike.LostError{ID: "tok_2", Revoked: true}, "was revoked", nil},
		{"unreadable, with its id", scripted{create: lost("tok_2"), list: []paistrike.Token{ours}}, &paistrike.LostError{ID: "tok_2", Revoked: true}, "was revoked", []string{"tok_2"}},
		{"unreadable, with someone else's id", scripted{create: lost("tok_3"), list: []paistrike.Token{theirs}}, &paistrike.LostError{ID: "tok_3", MayExist: true}, "may still be active", nil},
		{"revoked already", scripted{create: &paistrike.UnknownOutcomeError{Name: "ci", ID: "tok_2", Revoked: true, Err: cutOff}}, &paistrike.LostError{ID: "tok_2", Revoked: true}, "was revoked", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := test.api
			_, err := paistrike.MintOnce(t.Context(), &api, "ci", time.Time{})
			if api.created != 1 || !slices.Equal(api.revoked, test.revokes) {
				t.Errorf("created %d times, revoked %v, want %v", api.created, api.revoked, test.revokes)
			}
			got, typed := errors.AsType[*paistrike.LostError](err)
			switch {
			case test.want == nil:
				if typed || !errors.Is(err, test.api.create) {
					t.Errorf("got %v", err)
				}
			case !typed || got.Name != "ci" || got.ID != test.want.ID || got.Revoked != test.want.Revoked || got.MayExist != test.want.MayExist ||
				!errors.Is(err, cutOff) || !strings.Contains(err.Error(), test.text):
				t.Errorf("got %+v (%v), want %+v and %q", got, err, test.want, test.text)
			}
		})
	}
}
