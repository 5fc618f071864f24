package main

import (
	"encoding/json"
	"strings"
)

// operations are the implemented operations of Secrets Manager. Others are answered as AWS
// answers unknown operations.
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

// handle decodes an operation's input and checks the model's limits. Unknown members are
// ignored, as AWS does.
func handle[In any](do func(*session, In) (any, error)) func(*session, []byte) (any, error) {
	return func(s *session, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			// The decoder's error may quote a secret value.
			return nil, refuse(serialization, "The request is not the JSON that the operation takes.")
		}
		if err := validate(in); err != nil {
			return nil, err
		}
		return do(s, in)
	}
}

// unsignedOperation reports whether STS accepts the operation without a signature: the
// identity token authenticates it.
func unsignedOperation(q *request) bool {
	return q.service == tokenService && strings.HasPrefix(q.operation, "AssumeRoleWith")
}
