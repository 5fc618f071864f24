package aws

import (
	"context"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// login provides credentials to the calls that are signed with them. It distinguishes an
// error in finding credentials from one in using them, and reports each new secret.
type login struct {
	sdk.CredentialsProvider

	seen func(secret.Secret) error // may be nil
	mu   sync.Mutex
	last string // the access key that was reported last
}

// loginError reports that there are no credentials.
type loginError struct{ err error }

// Error returns the text of the cause.
func (e *loginError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *loginError) Unwrap() error { return e.err }

// Retrieve returns the credentials, or a [*loginError].
func (l *login) Retrieve(ctx context.Context) (sdk.Credentials, error) {
	held, err := l.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		err = l.tell(held)
	}
	if err != nil {
		return held, &loginError{err}
	}
	return held, nil
}

// tell reports new credentials before they are used.
func (l *login) tell(held sdk.Credentials) error {
	if l.seen == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == held.AccessKeyID {
		return nil
	}
	for _, text := range []string{held.SecretAccessKey, held.SessionToken} {
		if text == "" {
			continue
		}
		if err := l.seen(secret.New(text)); err != nil {
			return err
		}
	}
	l.last = held.AccessKeyID
	return nil
}
