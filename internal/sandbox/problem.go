package sandbox

import (
	"encoding/json"
	"net/http"
)

const problemType = "application/problem+json"

// problem is an RFC 9457 problem document. Its title is the status's reason phrase, as the
// type "about:blank" requires.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail,omitempty"`
	RequestID string       `json:"request_id,omitempty"`
	Errors    []fieldError `json:"errors,omitempty"`
}

func notFound(detail string) problem {
	return problem{Status: http.StatusNotFound, Code: "not_found", Detail: detail}
}

func badRequest(code, detail string) problem {
	return problem{Status: http.StatusBadRequest, Code: code, Detail: detail}
}

func unauthorized(code, detail string) problem {
	return problem{Status: http.StatusUnauthorized, Code: code, Detail: detail}
}

func unprocessable(detail string, fields ...fieldError) problem {
	return problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: detail, Errors: fields}
}

// problemFor returns the document for a status that a fault orders without a body.
func problemFor(status int) problem {
	p := problem{Status: status, Code: "internal"}
	switch status {
	case http.StatusBadRequest:
		p.Code = "bad_json"
	case http.StatusUnauthorized:
		p.Code = refusedInvalid
	case http.StatusForbidden:
		p.Code = "minting_not_allowed"
	case http.StatusNotFound:
		p.Code = "not_found"
	case http.StatusConflict:
		p.Code = "name_conflict"
	case http.StatusUnprocessableEntity:
		p.Code = "validation_failed"
	case http.StatusTooManyRequests:
		p.Code = "rate_limited"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		p.Code = "unavailable"
	}
	return p
}

// write sends the problem with the request ID that w already has.
func (p problem) write(w http.ResponseWriter) {
	p.Type, p.Title, p.RequestID = "about:blank", http.StatusText(p.Status), w.Header().Get("X-Request-Id")
	if p.Title == "" {
		p.Title = "Unknown"
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`)
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n')) //nolint:errcheck // a buffer never fails
}
