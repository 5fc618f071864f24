package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxControlBody limits the body of a control request, in bytes.
const maxControlBody = 1 << 20

// maxSeed limits the number of tokens that one seed request creates.
const maxSeed = 10_000

// controlHandler serves /_sandbox/*: operations on the sandbox itself, which an API caller
// does not have.
func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, h) }
	route("GET /_sandbox/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "prefix": s.prefix})
	})
	route("GET /_sandbox/clock", s.showClock)
	route("POST /_sandbox/clock", s.moveClock)
	route("GET /_sandbox/faults", s.showFaults)
	route("POST /_sandbox/faults", s.postFaults)
	route("DELETE /_sandbox/faults", done(s.ClearFaults))
	route("GET /_sandbox/policy", s.showPolicy)
	route("PUT /_sandbox/policy", s.putPolicy(func() Policy { return Policy{} }))
	route("POST /_sandbox/policy", s.putPolicy(s.Policy))
	route("PATCH /_sandbox/policy", s.putPolicy(s.Policy))
	route("GET /_sandbox/journal", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"calls": s.Journal()})
	})
	route("DELETE /_sandbox/journal", done(s.ResetJournal))
	route("POST /_sandbox/reset", done(s.Reset))
	route("POST /_sandbox/seed", s.seed)
	route("POST /_sandbox/release", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]int{"released": s.Release()})
	})
	route("GET /_sandbox/tokens", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"tokens": s.Tokens()})
	})
	route("POST /_sandbox/tokens", s.mintByHand)
	route("POST /_sandbox/tokens/{id}/revoke", onToken(s.Revoke))
	route("POST /_sandbox/tokens/{id}/forget", onToken(s.Forget))
	return sameSite(mux)
}

// done runs act and answers 204.
func done(act func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		act()
		w.WriteHeader(http.StatusNoContent)
	}
}

// onToken applies act to the token that the path names.
func onToken(act func(id string) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !act(r.PathValue("id")) {
			notFound("there is no such token").write(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) showClock(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"now": s.clock.Now(), "mode": s.clock.mode()})
}

func (s *Server) moveClock(w http.ResponseWriter, r *http.Request) {
	var move struct {
		Set     *time.Time    `json:"set"`
		Advance *textDuration `json:"advance"`
		Real    bool          `json:"real"`
	}
	if !readControl(w, r, &move) {
		return
	}
	var to time.Time
	switch {
	case move.Set != nil && move.Advance == nil && !move.Real:
		to = *move.Set
	case move.Advance != nil && move.Set == nil && !move.Real:
		to = s.clock.Now().Add(time.Duration(*move.Advance))
	case move.Real && move.Set == nil && move.Advance == nil:
		s.clock.Real()
		s.showClock(w, r)
		return
	default:
		unprocessable(`send one of {"set": time}, {"advance": duration}, {"real": true}`).write(w)
		return
	}
	if !writable(to) {
		unprocessable("the sandbox knows the years 1 to 9999").write(w)
		return
	}
	s.clock.Set(to)
	s.showClock(w, r)
}

func (s *Server) showFaults(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"faults": s.faults.remaining()})
}

// postFaults adds one fault or a list of faults. If one is invalid, none is added.
func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if !readControl(w, r, &raw) {
		return
	}
	list := make([]Fault, 1)
	var into any = &list[0]
	if bytes.HasPrefix(raw, []byte("[")) {
		into = &list
	}
	if err := json.Unmarshal(raw, into); err != nil {
		unprocessable(err.Error()).write(w)
		return
	}
	s.faults.add(list...)
	s.showFaults(w, r)
}

func (s *Server) showPolicy(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Policy())
}

// putPolicy replaces the policy with base, overridden by the fields in the body. The base is
// either the contract or the policy in force.
func (s *Server) putPolicy(base func() Policy) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		policy := base()
		if !readControl(w, r, &policy) {
			return
		}
		s.SetPolicy(policy)
		s.showPolicy(w, r)
	}
}

// mintByHand creates a token under the same rules as the web page and returns its secret in
// this response only.
func (s *Server) mintByHand(w http.ResponseWriter, r *http.Request) {
	var fields map[string]json.RawMessage
	if !readControl(w, r, &fields) {
		return
	}
	asked, faults := readDraft(fields, s.Policy())
	if len(faults) > 0 {
		unprocessable(invalidDraft, faults...).write(w)
		return
	}
	token, secret, err := s.store.create(asked, nil, s.clock.Now(), s.Policy())
	if err != nil {
		problemOf(err).write(w)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, wireCreated{token.wire(), secret})
}

// seed creates many tokens for pages and audits. Their secrets are discarded.
func (s *Server) seed(w http.ResponseWriter, r *http.Request) {
	order := struct {
		Count      int          `json:"count"`
		NamePrefix string       `json:"name_prefix"`
		CreatedAgo textDuration `json:"created_ago"` // age of the token
		UsedAgo    textDuration `json:"used_ago"`    // time since last use; absent = never used
		ExpiresIn  textDuration `json:"expires_in"`  // absent = never; negative = expired
		Revoked    bool         `json:"revoked"`     // revoked just now
	}{NamePrefix: "seed"}
	if !readControl(w, r, &order) {
		return
	}
	if order.Count < 1 || order.Count > maxSeed {
		unprocessable(fmt.Sprintf("count is 1 to %d", maxSeed)).write(w)
		return
	}
	now := s.clock.Now()
	ids := make([]string, order.Count)
	for i := range ids {
		d := draft{Name: fmt.Sprintf("%s-%04d", order.NamePrefix, i+1)}
		if order.ExpiresIn != 0 {
			d.ExpiresAt = now.Add(time.Duration(order.ExpiresIn))
		}
		ids[i], _ = s.store.insert(d, now.Add(-time.Duration(order.CreatedAgo)), func(r *record) {
			r.seeded = true
			if order.UsedAgo != 0 {
				r.LastUsedAt, r.Uses = wholeSecond(now.Add(-time.Duration(order.UsedAgo))), 1
			}
			if order.Revoked {
				r.RevokedAt = wholeSecond(now)
			}
		})
	}
	writeJSON(w, http.StatusCreated, map[string]any{"ids": ids})
}

// readControl decodes one JSON value, rejecting unknown fields. If it fails, it answers with
// the reason.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxControlBody+1))
	if err != nil || len(body) > maxControlBody {
		problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "a control request has at most 1 MiB"}.write(w)
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		badRequest("bad_json", "the body is not JSON").write(w)
	case err != nil:
		unprocessable(err.Error()).write(w)
	case decoder.More():
		badRequest("bad_json", "the body is more than one JSON value").write(w)
	}
	return err == nil && !decoder.More()
}
