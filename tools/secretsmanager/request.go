package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Services behind the single listener. They have different protocols: JSON with the operation
// in X-Amz-Target, and a form with the operation in Action.
const (
	secretsManager = "secretsmanager"
	tokenService   = "sts"
)

// request is an incoming request, parsed as far as possible before any check.
type request struct {
	http      *http.Request
	body      []byte
	id        string // x-amzn-RequestId of the answer
	service   string
	operation string
	secret    string         // name of the secret, or the SecretId if it is not a name; "" if there is none
	form      url.Values     // STS only
	members   map[string]any // members of the operation's input
	signature signature
	unsigned  error // error in the Authorization header
}

func readRequest(r *http.Request, body []byte, account string) *request {
	q := &request{http: r, body: body, id: newUUID(), members: map[string]any{}}
	q.signature, q.unsigned = parseSignature(r.Header.Get("Authorization"))
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if ok {
		q.service, q.operation = secretsManager, operation
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		_ = decoder.Decode(&q.members) // the operation rejects invalid JSON
		q.secret = q.name(place{account: account, region: q.signature.region})
		return q
	}
	q.service = tokenService
	q.form, _ = url.ParseQuery(string(body))
	q.operation = q.form.Get("Action")
	for name, values := range q.form {
		if name != "Action" && name != "Version" {
			q.members[name] = strings.Join(values, ",")
		}
	}
	return q
}

// name returns the name of the secret that the request concerns.
func (q *request) name(at place) string {
	id, _ := q.members["SecretId"].(string)
	if q.operation == "CreateSecret" {
		id, _ = q.members["Name"].(string)
	}
	if w, err := at.want(id); err == nil && w.name != "" {
		return w.name
	}
	return id
}

// answer is the answer to a request.
type answer struct {
	status  int
	kind    string // name of the error; "" = success
	message string // text of the error
	header  map[string]string
	body    []byte
}

const (
	jsonType = "application/x-amz-json-1.1"
	xmlType  = "text/xml"
)

// refused returns the answer for an error.
func (q *request) refused(err error) answer {
	if q.service == tokenService {
		f := stsFailure(err)
		body, _ := writeSTSError(f, q.id)
		return answer{status: f.status, kind: f.kind, message: f.message, header: map[string]string{"Content-Type": xmlType}, body: body}
	}
	f := asFailure(err)
	member := "Message" // as in the model; errors of all services spell it differently
	switch f.kind {
	case accessDenied, validation, serialization, throttling, invalidSignature, incomplete, missingToken, unrecognized, expiredCredential, serviceDown, unknownOperation:
		member = "message"
	}
	body, _ := json.Marshal(map[string]string{"__type": f.kind, member: f.message})
	return answer{
		status: f.status, kind: f.kind, message: f.message, body: body,
		header: map[string]string{"Content-Type": jsonType, "X-Amzn-Errortype": f.kind},
	}
}

// done returns the answer for a success. Some operations have no output.
func (q *request) done(out any) answer {
	a := answer{status: http.StatusOK, header: map[string]string{"Content-Type": jsonType}}
	var err error
	switch out := out.(type) {
	case nil:
	case stsOutput:
		a.header["Content-Type"] = xmlType
		a.body, err = writeSTS(q.operation, out, q.id)
	default:
		a.body, err = json.Marshal(out)
	}
	if err != nil {
		return q.refused(err)
	}
	return a
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
