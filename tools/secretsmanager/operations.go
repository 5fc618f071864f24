package main

import (
	"encoding/json"
	"strings"
)

// operations are those of Secrets Manager that this server has. The others are
// answered as AWS answers an operation that it does not know.
var operations = map[string]func(*session, []byte) (any, error){
	"BatchGetSecretValue":      handle((*session).batchGetSecretValue),
	"CreateSecret":             handle((*session).createSecret),
	"DeleteSecret":             handle((*session).deleteSecret),
	"DescribeSecret":           handle((*session).describeSecret),
	"GetSecretValue":           handle((*session).getSecretValue),
	"ListSecretVersionIds":     handle((*session).listSecretVersionIds),
	"ListSecrets":              handle((*session).listSecrets),
	"PutSecretValue":           handle((*session).putSecretValue),
	"RestoreSecret":            handle((*session).restoreSecret),
	"TagResource":              handle((*session).tagResource),
	"UntagResource":            handle((*session).untagResource),
	"UpdateSecret":             handle((*session).updateSecret),
	"UpdateSecretVersionStage": handle((*session).updateSecretVersionStage),
}

// handle reads an operation's input and holds it to the model's limits. Members
// that the model does not have are ignored, as AWS does.
func handle[In any](do func(*session, In) (any, error)) func(*session, []byte) (any, error) {
	return func(s *session, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			// The decoder's own words may quote a value.
			return nil, refuse(serialization, "The request is not the JSON that the operation takes.")
		}
		if err := validate(in); err != nil {
			return nil, err
		}
		return do(s, in)
	}
}

// unsignedOperation says whether STS takes the operation without a signature: there
// the identity token is the proof.
func unsignedOperation(q *request) bool {
	return q.service == tokenService && strings.HasPrefix(q.operation, "AssumeRoleWith")
}
