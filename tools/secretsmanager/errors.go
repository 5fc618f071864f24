package main

import (
	"errors"
	"fmt"
	"net/http"
)

// failure is an error in AWS's format.
type failure struct {
	kind    string // name of the error, such as ResourceNotFoundException
	message string
	status  int // HTTP status
}

// Error returns kind and message.
func (f *failure) Error() string { return f.kind + ": " + f.message }

// refuse returns a client error. The JSON protocol answers all of these with 400, including
// denied access.
func refuse(kind, format string, args ...any) error {
	return &failure{kind: kind, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// asFailure returns err as a failure. Any error that is not a failure becomes a server error.
func asFailure(err error) *failure {
	if known, ok := errors.AsType[*failure](err); ok {
		return known
	}
	return &failure{kind: internalError, message: err.Error(), status: http.StatusInternalServerError}
}

// Errors of the model, and those that all AWS services have in common.
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

// statusOf returns the HTTP status for the name of an error.
func statusOf(kind string) int {
	switch kind {
	case internalError:
		return http.StatusInternalServerError
	case serviceDown:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
