package aws

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// This file contains every text that a user of this store can see. A failure has a code, a
// summary, facts, and advice. The caller adds what is true of the token.

// explain converts an error of AWS to a message for the user. It returns nil for nil.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*entry.Failure](err); done {
		return err
	}
	action := actionOf(err)
	switch {
	case IsLoginFailed(err):
		return entry.NewFailure("PS323", "AWS login failed", err, "", "Check the source of the AWS credentials: the aws block of the provider, the inputs of the workflow, or the environment.")
	case isDenied(err):
		return entry.NewFailure("PS322", "AWS credentials lack a permission", entry.Forbidden(err), "", "Allow "+action+" on the secret in an IAM policy of the identity in the message. "+
			"A customer managed KMS key must also allow kms:GenerateDataKey and kms:Decrypt.")
	case isThrottled(err):
		return entry.NewFailure("PS325", "AWS kept throttling", err, "", "The throttled calls had no effect. Wait a minute, then run again.")
	case isKMS(err):
		return entry.NewFailure("PS326", "AWS KMS key cannot be used", err, "", "Check that the KMS key of the secret is enabled, and that it allows this identity kms:GenerateDataKey and kms:Decrypt.")
	case isFull(err):
		return entry.NewFailure("PS327", "AWS secret has too many versions", err, "AWS keeps every version for at least 24 hours, and allows 100 versions.", "Run again later. AWS recommends no more than one new version every 10 minutes.")
	case statusOf(err) == 0:
		return entry.NewFailure("PS321", "AWS cannot be reached", err, "", "Check region, endpoint and network.")
	default:
		return entry.NewFailure("PS320", "AWS refused a request", err, "", "The message contains AWS's reason. Fix it, then run again.")
	}
}

func noRegion() error {
	return entry.NewFailure("PS328", "AWS region is missing", nil, "", "Set region in the aws block of the provider, aws_region in a workflow, or AWS_REGION.")
}

func badConfiguration(err error) error {
	return entry.NewFailure("PS323", "AWS login failed", err, "", "Check AWS's shared configuration files and the profile.")
}

func expiresTooSoon(left, needed time.Duration) error {
	return entry.NewFailure("PS324", "AWS credentials expire too soon", nil,
		fmt.Sprintf("The AWS credentials expire in %s, but %s are needed to replace a token safely.",
			schedule.FormatDuration(max(left, 0).Truncate(time.Second)), schedule.FormatDuration(needed)), "Log in again.")
}

// refusedAction matches the action in AWS's error message, because a call may need
// several.
var refusedAction = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)

// actionOf returns the IAM action that was missing for the failed call.
func actionOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if said := refusedAction.FindStringSubmatch(api.ErrorMessage()); said != nil {
			return said[1]
		}
	}
	operation, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return "the call"
	}
	if operation.Service() == "STS" {
		return "sts:" + operation.Operation()
	}
	return "secretsmanager:" + operation.Operation()
}

// codeOf returns the code of an AWS error, or "" if it has none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// statusOf returns the HTTP status of AWS's response, or 0 if there was none.
func statusOf(err error) int {
	if answered, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answered.HTTPStatusCode()
	}
	return 0
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

func isExisting(err error) bool {
	_, ok := errors.AsType[*types.ResourceExistsException](err)
	return ok
}

// isInvalidRequest reports whether the call is not permitted in the state of the secret:
// it is scheduled for deletion.
func isInvalidRequest(err error) bool {
	_, ok := errors.AsType[*types.InvalidRequestException](err)
	return ok
}

// isRefusal reports whether AWS responded that it did not carry out the call.
func isRefusal(err error) bool {
	status := statusOf(err)
	return codeOf(err) != "" && status >= http.StatusBadRequest && status < http.StatusInternalServerError
}

// isDenied reports whether IAM or a KMS key does not permit the call. Nothing was done.
func isDenied(err error) bool {
	return !IsLoginFailed(err) && (codeOf(err) == "AccessDeniedException" || codeOf(err) == "AccessDenied")
}

func isThrottled(err error) bool {
	return !isFull(err) && retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

func isFull(err error) bool {
	_, ok := errors.AsType[*types.LimitExceededException](err)
	return ok
}

func isKMS(err error) bool {
	switch codeOf(err) {
	case "DecryptionFailure", "EncryptionFailure":
		return true
	}
	return false
}

// IsLoginFailed reports whether there are no credentials, or AWS does not accept them.
func IsLoginFailed(err error) bool {
	switch codeOf(err) {
	case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException",
		"SignatureDoesNotMatch", "IncompleteSignatureException", "MissingAuthenticationTokenException", "InvalidIdentityToken", "InvalidIdentityTokenException":
		return true
	}
	_, ok := errors.AsType[*loginError](err)
	return ok
}
