package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/sdk/logical"
)

// mountSpec is the path of an engine and its version.
type mountSpec struct {
	path    string
	version int // of KV
}

// engine is a mounted KV engine with its storage.
type engine struct {
	mountSpec
	uuid    string
	backend logical.Backend
	storage logical.Storage
}

func newEngine(ctx context.Context, spec mountSpec) (*engine, error) {
	e := &engine{mountSpec: spec, uuid: newUUID(), storage: &logical.InmemStorage{}}
	var err error
	e.backend, err = kv.Factory(ctx, &logical.BackendConfig{
		StorageView: e.storage,
		Logger:      hclog.NewNullLogger(),
		System: &logical.StaticSystemView{
			DefaultLeaseTTLVal: 768 * time.Hour,
			MaxLeaseTTLVal:     768 * time.Hour,
		},
		BackendUUID: e.uuid,
		Config:      map[string]string{"version": strconv.Itoa(spec.version)},
	})
	if err != nil {
		return nil, fmt.Errorf("mounting %s: %w", spec.path, err)
	}
	return e, nil
}

// info returns Vault's description of the mount.
func (e *engine) info() map[string]any {
	return map[string]any{
		"path": e.path + "/", "uuid": e.uuid, "type": "kv", "accessor": "kv_" + e.uuid[:8],
		"description": "", "local": false, "seal_wrap": false, "external_entropy_access": false,
		"options": map[string]string{"version": strconv.Itoa(e.version)},
		"config":  map[string]any{"default_lease_ttl": 2764800, "max_lease_ttl": 2764800, "force_no_cache": false},
	}
}

// serve handles a request as Vault's HTTP layer passes it to an engine.
func (e *engine) serve(w http.ResponseWriter, r *http.Request, path string, may func(logical.Operation) bool) {
	req, status, err := logicalRequest(r, strings.TrimPrefix(strings.TrimPrefix(path, e.path), "/"))
	if err != nil {
		logical.RespondError(w, status, err)
		return
	}
	req.Storage, req.MountPoint, req.MountType = e.storage, e.path+"/", "kv"
	if req.Operation == logical.UpdateOperation {
		// Vault's core asks the engine, because policies distinguish create and update.
		checked, exists, err := e.backend.HandleExistenceCheck(r.Context(), req)
		if err != nil && !errors.Is(err, logical.ErrUnsupportedPath) {
			logical.RespondError(w, http.StatusInternalServerError, err)
			return
		}
		if checked && !exists {
			req.Operation = logical.CreateOperation
		}
	}
	if !may(req.Operation) {
		deny(w)
		return
	}
	resp, err := e.backend.HandleRequest(r.Context(), req)
	if resp != nil {
		byTheClock(resp.Data, r.Header.Get("Date"))
	}
	respond(w, req, resp, err)
}

// logicalRequest converts an HTTP request to the engine's form.
func logicalRequest(r *http.Request, path string) (*logical.Request, int, error) {
	req := &logical.Request{ID: newUUID(), Path: path, Headers: r.Header}
	query := r.URL.Query()
	switch r.Method {
	case http.MethodGet:
		req.Operation = logical.ReadOperation
		if list, _ := strconv.ParseBool(query.Get("list")); list {
			query.Del("list")
			req.Operation = logical.ListOperation
		}
		req.Data = queryData(query)
	case "LIST":
		req.Operation, req.Data = logical.ListOperation, queryData(query)
	case http.MethodDelete:
		req.Operation, req.Data = logical.DeleteOperation, queryData(query)
	case http.MethodPost, http.MethodPut:
		req.Operation = logical.UpdateOperation
	case http.MethodPatch:
		req.Operation = logical.PatchOperation
		const mergePatch = "application/merge-patch+json"
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != mergePatch {
			return nil, http.StatusUnsupportedMediaType, fmt.Errorf("PATCH requires Content-Type of %s, provided %s", mergePatch, kind)
		}
	default:
		return nil, http.StatusMethodNotAllowed, nil
	}
	if req.Operation == logical.ListOperation && !strings.HasSuffix(req.Path, "/") {
		req.Path += "/"
	}
	if req.Data == nil && r.Body != nil {
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		if err := decoder.Decode(&req.Data); err != nil && !errors.Is(err, io.EOF) {
			return nil, http.StatusBadRequest, errors.New("error parsing JSON")
		}
	}
	return req, 0, nil
}

func queryData(query url.Values) map[string]any {
	data := map[string]any{}
	for name, values := range query {
		if len(values) == 1 {
			data[name] = values[0]
		} else {
			data[name] = values
		}
	}
	return data
}

// respond writes the engine's response as Vault's HTTP layer does.
func respond(w http.ResponseWriter, req *logical.Request, resp *logical.Response, err error) {
	if status, failure := logical.RespondErrorCommon(req, resp, err); status != 0 || failure != nil {
		if resp != nil && resp.Data["data"] != nil {
			logical.RespondErrorAndData(w, status, resp.Data["data"], failure)
			return
		}
		logical.RespondError(w, status, failure)
		return
	}
	if resp == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	// A response with its own status, such as 404 for a deleted version, which still
	// describes that version.
	if status, ok := resp.Data[logical.HTTPStatusCode].(int); ok {
		body, _ := resp.Data[logical.HTTPRawBody].(string)
		logical.RespondWithBody(w, status, body)
		return
	}
	answer := logical.LogicalResponseToHTTPResponse(resp)
	answer.RequestID = req.ID
	writeJSON(w, http.StatusOK, answer)
}

// byTheClock shifts the engine's times from the machine's clock to the clock of the Date
// header, because clients compare the two.
func byTheClock(data map[string]any, date string) {
	now, err := http.ParseTime(date)
	if err != nil {
		return
	}
	ahead := time.Until(now).Truncate(time.Second) //nolint:forbidigo // the engine's clock
	for name, value := range data {
		switch value := value.(type) {
		case map[string]any:
			byTheClock(value, date)
		case string:
			at, err := time.Parse(time.RFC3339Nano, value)
			if err == nil && strings.HasSuffix(name, "_time") {
				data[name] = at.Add(ahead).Format(time.RFC3339Nano)
			}
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
