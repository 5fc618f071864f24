package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// settings enables behavior of AWS that most tests do not need.
type settings struct {
	Quotas  bool     `json:"quotas"`   // ThrottlingException above AWS's request quotas
	ListLag duration `json:"list_lag"` // delay of changes in ListSecrets, at most 1h
}

func (s settings) check() error {
	if s.ListLag < 0 || time.Duration(s.ListLag) > maxLag {
		return errors.New("list_lag is 0 to 1h")
	}
	return nil
}

// control serves /_aws/, which is not part of AWS.
func (s *server) control(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var shown any
	switch r.Method + " " + r.URL.Path {
	case "POST /_aws/faults":
		err = s.addFaults(body)
	case "DELETE /_aws/faults":
		s.faults.Clear()
	case "POST /_aws/release":
		s.faults.Release()
	case "GET /_aws/journal":
		shown = s.journal.all()
	case "DELETE /_aws/journal":
		s.journal.forget()
	case "POST /_aws/clock":
		var m move
		if err = decodeStrictly(body, &m); err == nil {
			err = s.clock.move(m)
		}
		fallthrough
	case "GET /_aws/clock":
		now, failed := s.clock.now(r.Context())
		err = errors.Join(err, failed)
		shown = map[string]time.Time{"now": now}
	case "POST /_aws/settings":
		err = s.set(body)
		fallthrough
	case "GET /_aws/settings":
		shown = s.settings.Load()
	case "POST /_aws/iam":
		var c iamConfig
		if err = decodeStrictly(body, &c); err == nil {
			err = s.identities.add(c)
		}
	default:
		http.NotFound(w, r)
		return
	}
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case shown == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(shown)
	}
}

// set changes the settings in body and leaves the others unchanged.
func (s *server) set(body []byte) error {
	changed := *s.settings.Load()
	if err := decodeStrictly(body, &changed); err != nil {
		return err
	}
	if err := changed.check(); err != nil {
		return err
	}
	s.settings.Store(&changed)
	return nil
}

// addFaults adds one rule or a list of rules. If one is invalid, none is added.
func (s *server) addFaults(body []byte) error {
	var rules list[fault]
	if err := decodeStrictly(bytes.TrimSpace(body), &rules); err != nil {
		return err
	}
	for _, f := range rules {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.faults.Add(rules)
	return nil
}
