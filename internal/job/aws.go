package job

import (
	"context"
	"errors"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// awsStore is AWS Secrets Manager.
type awsStore struct {
	*aws.Store

	s *session
}

// openAWS returns a store that authenticates on its first call: with GitHub's identity token
// if the inputs name a role, otherwise with the environment's credentials. Every secret of
// the credentials is masked before use.
func (s *session) openAWS() awsStore {
	config := s.set.aws
	config.Load, config.OnCredentials, config.Now = aws.Environment(s.getenv), s.gh.Mask, s.now
	if s.wait != nil {
		config.Sleep = s.wait
	}
	if role := config.AssumeRoleWithWebIdentity; role != nil {
		as := *role
		as.Fetch = func() (secret.Secret, error) { return s.identity.Token(s.step) }
		config.AssumeRoleWithWebIdentity = &as
	}
	return awsStore{Store: aws.New(config), s: s}
}

func (a awsStore) field(ctx context.Context) (entry.Field, error) {
	field, err := a.ReadField(ctx, a.s.set.at)
	if err != nil {
		return field, a.failed(ctx, err)
	}
	return field, nil
}

func (a awsStore) listFailed(ctx context.Context, _ entry.Location, err error) error {
	return a.failed(ctx, err)
}

func (a awsStore) nothingFound(folder entry.Location) error {
	return nothingFoundInAWS(folder.Path, a.s.set.aws.Region)
}

func (a awsStore) nothingThere(field entry.Field) error {
	return nothingThereInAWS(a.s.set.at, field)
}

// leave does nothing: sessions of a role expire, and other credentials belong to the job.
func (awsStore) leave(context.Context) {}

// failed converts an error of AWS into a message. The store words its own errors; failed adds
// only the causes that concern the run itself.
func (a awsStore) failed(ctx context.Context, err error) error {
	if ended := a.s.ended(ctx); ended != nil {
		return ended
	}
	if f, ok := errors.AsType[*runner.Failure](err); ok { // from GitHub's identity service
		return f
	}
	if why := a.s.event.Untrusted(); why != nil && aws.IsLoginFailed(err) {
		return why
	}
	if f, ok := errors.AsType[*entry.Failure](err); ok {
		return storeFailed(f)
	}
	return err
}
