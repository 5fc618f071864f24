package main

import (
	"errors"
	"fmt"
	"net/http"
)

// failure is a refusal as AWS words it.
type failure struct {
	kind    string // the error's name, such as ResourceNotFoundException
	message string
	status  int // of the HTTP answer
}

// Error returns kind and message.
func (f *failure) Error() string { return f.kind + ": " + f.message }

// refuse makes a refusal that is the client's fault. The JSON protocol answers all
// of those with 400, a denied access included.
func refuse(kind, format string, args ...any) error {
	return &failure{kind: kind, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// asFailure returns the refusal that an error is. Any other error is the server's
// own fault.
func asFailure(err error) *failure {
	if known, ok := errors.AsType[*failure](err); ok {
		return known
	}
	return &failure{kind: internalError, message: err.Error(), status: http.StatusInternalServerError}
}

// The refusals of the model, and those that all of AWS's services share.
const (
	accessDenied      = "AccessDeniedException"
	internalError     = "InternalServiceError"
	invalidNextToken  = "InvalidNextTokenException"
	invalidParameter  = "InvalidParameterException"
	invalidRequest    = "InvalidRequestException"
	limitExceeded     = "LimitExceededException"
	notFound          = "ResourceNotFoundException"
	resourceExists    = "ResourceExistsException"
	serialization     = "SerializationException"
	serviceDown       = "ServiceUnavailable"
	throttling        = "ThrottlingException"
	unknownOperation  = "UnknownOperationException"
	validation        = "ValidationException"
	invalidSignature  = "InvalidSignatureException"
	incomplete        = "IncompleteSignatureException"
	missingToken      = "MissingAuthenticationTokenException"
	unrecognized      = "UnrecognizedClientException"
	expiredCredential = "ExpiredTokenException"
)

var (
	errNoSecret = refuse(notFound, "Secrets Manager can't find the specified secret.")
	errDeleted  = refuse(invalidRequest, "You can't perform this operation on the secret because it was marked for deletion.")
)

// statusOf returns the HTTP status of an error by its name.
func statusOf(kind string) int {
	switch kind {
	case internalError:
		return http.StatusInternalServerError
	case serviceDown:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
