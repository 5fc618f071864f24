package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/vault/sdk/logical"
)

// date sets the Date header by the clock, because a client may take Vault's time from there
// or from sys/health. If the time is unknown it sends no Date (RFC 9110, section 6.6.1): the
// machine's own time would contradict sys/health.
func (s *server) date(w http.ResponseWriter, r *http.Request) {
	now, err := s.clock.Now(r.Context())
	if err != nil {
		w.Header()["Date"] = nil
		return
	}
	date := now.UTC().Format(http.TimeFormat)
	w.Header().Set("Date", date)
	r.Header.Set("Date", date) // for the engine's own times
}

// health answers as Vault does: the status code is the state, unless the caller asks for
// other codes.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	now, err := s.clock.Now(r.Context())
	if err != nil {
		logical.RespondError(w, http.StatusInternalServerError, err)
		return
	}
	status, sealed := http.StatusOK, s.isSealed()
	if sealed {
		status = http.StatusServiceUnavailable
		if asked, err := strconv.Atoi(r.URL.Query().Get("sealedcode")); err == nil && asked >= 200 && asked < 600 {
			status = asked
		}
	}
	writeJSON(w, status, map[string]any{
		"initialized": true, "sealed": sealed, "standby": sealed, "performance_standby": false,
		"replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
		"server_time_utc": now.Unix(), "version": "kv", "enterprise": false,
		"cluster_name": "kv", "cluster_id": "kv",
	})
}

func (s *server) sealStatus() map[string]any {
	return map[string]any{"type": "kv", "initialized": true, "sealed": s.isSealed(), "t": 1, "n": 1, "progress": 0, "version": "kv"}
}

// system serves sys/ and auth/.
func (s *server) system(w http.ResponseWriter, r *http.Request, path string, who policy) {
	mount, isMount := strings.CutPrefix(path, "sys/mounts/")
	shown, isShown := strings.CutPrefix(path, "sys/internal/ui/mounts/")
	switch {
	case path == "sys/capabilities-self":
		s.capabilities(w, r, who)
	case isShown:
		s.showMount(w, r, strings.Trim(shown, "/"), who)
	case path == "auth/token/lookup-self":
		writeData(w, tokenData(tokenOf(r), who))
	case path == "auth/token/renew-self":
		writeJSON(w, http.StatusOK, map[string]any{"request_id": newUUID(), "auth": map[string]any{
			"client_token": tokenOf(r), "policies": policyNames(who), "lease_duration": 0, "renewable": false,
		}})
	case path == "auth/token/revoke-self":
		s.mu.Lock()
		delete(s.tokens, tokenOf(r))
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case who != nil: // the rest requires root
		deny(w)
	case path == "sys/seal":
		s.seal(true)
		w.WriteHeader(http.StatusNoContent)
	case isMount:
		s.changeMount(w, r, strings.Trim(mount, "/"))
	default:
		logical.RespondError(w, http.StatusNotFound, logical.ErrUnsupportedPath)
	}
}

func writeData(w http.ResponseWriter, data map[string]any) {
	writeJSON(w, http.StatusOK, map[string]any{
		"request_id": newUUID(), "lease_id": "", "renewable": false, "lease_duration": 0,
		"data": data, "wrap_info": nil, "warnings": nil, "auth": nil,
	})
}

func policyNames(who policy) []string {
	if who == nil {
		return []string{"root"}
	}
	return []string{"default", "test"}
}

func tokenData(token string, who policy) map[string]any {
	return map[string]any{
		"id": token, "accessor": "kv", "policies": policyNames(who), "path": "auth/token/root", "meta": nil,
		"display_name": "token", "num_uses": 0, "orphan": true, "creation_time": 0, "creation_ttl": 0,
		"expire_time": nil, "ttl": 0, "explicit_max_ttl": 0, "entity_id": "", "type": "service",
	}
}

func (s *server) capabilities(w http.ResponseWriter, r *http.Request, who policy) {
	var asked struct {
		Path  string   `json:"path"`
		Paths []string `json:"paths"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		logical.RespondError(w, http.StatusBadRequest, errors.New("error parsing JSON"))
		return
	}
	if len(asked.Paths) == 0 && asked.Path != "" {
		asked.Paths = []string{asked.Path}
	}
	if len(asked.Paths) == 0 {
		logical.RespondError(w, http.StatusBadRequest, errors.New("paths must be supplied"))
		return
	}
	data := map[string]any{}
	for _, path := range asked.Paths {
		data[path] = who.capabilities(path)
	}
	if len(asked.Paths) == 1 {
		data["capabilities"] = data[asked.Paths[0]]
	}
	writeData(w, data)
}

// showMount describes the mount of a path. Like Vault, it answers 403 if there is none, so
// that clients cannot probe for mounts.
func (s *server) showMount(w http.ResponseWriter, r *http.Request, path string, who policy) {
	e, err := s.engine(r.Context(), namespaceOf(r), path)
	switch {
	case err != nil:
		logical.RespondError(w, http.StatusInternalServerError, err)
	case e == nil || !who.sees(e.path):
		logical.RespondError(w, http.StatusForbidden,
			fmt.Errorf("preflight capability check returned 403, please ensure client's policies grant access to path %q", path+"/"))
	default:
		writeData(w, e.info())
	}
}

// changeMount mounts and unmounts engines. A recreated mount is empty and has a new UUID.
func (s *server) changeMount(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	engines, err := s.engines(r.Context(), namespaceOf(r))
	if err != nil {
		logical.RespondError(w, http.StatusInternalServerError, err)
		return
	}
	switch r.Method {
	case http.MethodDelete:
		delete(engines, path)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost, http.MethodPut:
		var asked struct {
			Type    string            `json:"type"`
			Options map[string]string `json:"options"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Type != "kv" && asked.Type != "kv-v2" {
			logical.RespondError(w, http.StatusBadRequest, errors.New("only the type kv can be mounted"))
			return
		}
		if engines[path] != nil {
			logical.RespondError(w, http.StatusBadRequest, fmt.Errorf("path is already in use at %s/", path))
			return
		}
		version := 1
		if asked.Type == "kv-v2" || asked.Options["version"] == "2" {
			version = 2
		}
		e, err := newEngine(context.WithoutCancel(r.Context()), mountSpec{path: path, version: version})
		if err != nil {
			logical.RespondError(w, http.StatusInternalServerError, err)
			return
		}
		engines[path] = e
		w.WriteHeader(http.StatusNoContent)
	default:
		logical.RespondError(w, http.StatusMethodNotAllowed, logical.ErrUnsupportedOperation)
	}
}
