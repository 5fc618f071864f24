package aws

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attemptTimeout limits one attempt of a call.
const attemptTimeout = 30 * time.Second

// RefreshBefore is how long before their expiry credentials are renewed, so that a token
// is not minted with credentials that expire before its publication.
const RefreshBefore = 5 * time.Minute

// session contains what calls to AWS need. It is created at the first call.
type session struct {
	mu      sync.Mutex
	ready   bool
	config  sdk.Config
	secrets *secretsmanager.Client
	sts     *sts.Client
	account string
}

// open creates the clients. An error is not cached: the next call tries again.
func (s *Store) open(ctx context.Context) error {
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	if s.session.ready {
		return nil
	}
	loaded, err := s.config.Load(ctx, s.base(), s.config.Profile)
	if err != nil {
		return badConfiguration(err)
	}
	if s.config.Transport != nil {
		loaded.HTTPClient = &http.Client{Transport: s.config.Transport, Timeout: attemptTimeout}
	}
	if loaded.Region == "" {
		return noRegion()
	}
	if w := s.config.AssumeRoleWithWebIdentity; w != nil {
		loaded.Credentials = cached(w.provider(s.newSTS(loaded)))
	}
	if r := s.config.AssumeRole; r != nil {
		loaded.Credentials = cached(r.provider(s.newSTS(loaded)))
	}
	loaded.Credentials = &login{CredentialsProvider: loaded.Credentials, seen: s.config.OnCredentials}
	s.session.config = loaded
	s.session.sts = s.newSTS(loaded)
	s.session.secrets = secretsmanager.NewFromConfig(loaded, func(o *secretsmanager.Options) {
		if s.config.Endpoint != "" {
			o.BaseEndpoint = sdk.String(s.config.Endpoint)
		}
	})
	s.session.ready = true
	return nil
}

func (s *Store) newSTS(loaded sdk.Config) *sts.Client {
	return sts.NewFromConfig(loaded, func(o *sts.Options) {
		if s.config.STSEndpoint != "" {
			o.BaseEndpoint = sdk.String(s.config.STSEndpoint)
		}
	})
}

// base returns the part of the SDK's configuration that comes from [Config].
func (s *Store) base() sdk.Config {
	base := sdk.Config{
		Region: s.config.Region, BaseEndpoint: given(s.config.STSEndpoint), HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTimeout),
		APIOptions:       []func(*middleware.Stack) error{s.clock.follow, awsmiddleware.AddUserAgentKeyValue("paistrike", s.config.Version)},
		RetryMaxAttempts: s.config.MaxAttempts,
	}
	if s.config.RetryDelay != nil {
		base.Retryer = func() sdk.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = retry.BackoffDelayerFunc(s.config.RetryDelay) })
		}
	}
	if c := s.config.Credentials; c != nil {
		base.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal())
	}
	return base
}

func cached(provider sdk.CredentialsProvider) sdk.CredentialsProvider {
	return sdk.NewCredentialsCache(provider, func(o *sdk.CredentialsCacheOptions) { o.ExpiryWindow = RefreshBefore })
}

func (r *Role) provider(client *sts.Client) sdk.CredentialsProvider {
	return stscreds.NewAssumeRoleProvider(client, r.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.Duration = sessionName, r.Duration
		if r.SessionName != "" {
			o.RoleSessionName = r.SessionName
		}
		o.ExternalID, o.Policy, o.SourceIdentity = given(r.ExternalID), given(r.Policy), given(r.SourceIdentity)
		o.PolicyARNs = policies(r.PolicyARNs)
		for key, value := range r.Tags {
			o.Tags = append(o.Tags, ststypes.Tag{Key: sdk.String(key), Value: sdk.String(value)})
		}
	})
}

func (w *WebIdentity) provider(client *sts.Client) sdk.CredentialsProvider {
	return stscreds.NewWebIdentityRoleProvider(client, w.ARN, w, func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName, o.Duration = sessionName, w.Duration
		if w.SessionName != "" {
			o.RoleSessionName = w.SessionName
		}
		o.Policy, o.PolicyARNs = given(w.Policy), policies(w.PolicyARNs)
	})
}

// GetIdentityToken returns the OIDC token. The SDK calls it for each session.
func (w *WebIdentity) GetIdentityToken() ([]byte, error) {
	switch {
	case w.Fetch != nil:
		token, err := w.Fetch()
		return []byte(token.Reveal()), err
	case w.TokenFile != "":
		return os.ReadFile(w.TokenFile)
	default:
		return []byte(w.Token.Reveal()), nil
	}
}

// given returns text as an optional member of a request, or nil for "".
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func policies(arns []string) []ststypes.PolicyDescriptorType {
	var list []ststypes.PolicyDescriptorType
	for _, arn := range arns {
		list = append(list, ststypes.PolicyDescriptorType{Arn: sdk.String(arn)})
	}
	return list
}

// account returns the number of the account that the credentials belong to. It makes a
// call unless an earlier response about a secret has shown it.
func (s *Store) account(ctx context.Context) (string, error) {
	s.session.mu.Lock()
	account := s.session.account
	s.session.mu.Unlock()
	if account != "" {
		return account, nil
	}
	who, err := s.session.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", explain(err)
	}
	s.noteAccount(sdk.ToString(who.Account))
	return sdk.ToString(who.Account), nil
}

func (s *Store) noteAccount(account string) {
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	s.session.account = account
}

// clock is AWS's time according to its last response.
type clock struct {
	mu    sync.Mutex
	there time.Time // by the last response
	here  time.Time // on this machine, when that response arrived
	now   func() time.Time
}

// follow records the time of every response, including refusals.
func (c *clock) follow(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("PAIStrikeClock",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response != nil {
				c.note(response.Header.Get("Date"))
			}
			return out, metadata, err
		}), middleware.After)
}

func (c *clock) note(date string) {
	there, err := http.ParseTime(date)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.there, c.here = there.UTC(), c.now()
}

// time returns AWS's time, and false before the first response.
func (c *clock) time() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.there.Add(max(c.now().Sub(c.here), 0)), !c.there.IsZero()
}
