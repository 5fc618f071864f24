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

// openAWS makes a client. It logs in with its first call: as the role that the inputs name,
// with an identity token of GitHub's, or else with what the environment holds. Each secret of
// its credentials is masked before it is used.
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

// leave does nothing: sessions of a role end by themselves, and other credentials are the
// job's.
func (awsStore) leave(context.Context) {}

// failed words what went wrong with AWS. The store words it already; only what lies with
// the run itself goes before that.
func (a awsStore) failed(ctx context.Context, err error) error {
	if ended := a.s.ended(ctx); ended != nil {
		return ended
	}
	if f, ok := errors.AsType[*runner.Failure](err); ok { // of GitHub's identity service
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
