package aws

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Config configures the access to AWS. Omitted settings come from the program's
// environment.
type Config struct {
	Region  string
	Profile string
	// Endpoint is the URL of Secrets Manager, and STSEndpoint that of STS. "" means that
	// of the region.
	Endpoint, STSEndpoint string
	// Load finds omitted settings. nil means [Environment]. The Load in package
	// defaultchain looks in every place that the AWS SDK supports.
	Load Load
	// Credentials take precedence over those that Load finds.
	Credentials *Credentials
	// OnCredentials is called with each secret of the credentials before it is used. If it
	// returns an error, the login fails. It may be nil.
	OnCredentials func(secret.Secret) error
	// AssumeRoleWithWebIdentity replaces the credentials that Load finds. AssumeRole uses
	// the credentials of either.
	AssumeRoleWithWebIdentity *WebIdentity
	AssumeRole                *Role

	// Identity distinguishes this account from all others. "" means the account number.
	// Set it for servers that are compatible with AWS and have no accounts.
	Identity string
	// FormerIdentities are identities under which entries were written before.
	FormerIdentities []string

	// MaxAttempts limits the attempts of a call, including the first. 0 means the SDK's
	// default. A write is repeated only if AWS reports that it did nothing.
	MaxAttempts int
	Version     string // of this program, for the User-Agent

	// Transport sends the requests instead of the SDK's own transport.
	Transport http.RoundTripper
	// RetryDelay returns the pause before an attempt. nil means the SDK's.
	RetryDelay func(attempt int, err error) (time.Duration, error)
	// Sleep waits for a turn to write. nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now is this machine's clock. nil means [wallclock.Now].
	Now func() time.Time
}

// Credentials are an access key.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey secret.Secret
	SessionToken    secret.Secret // zero for a long-term key
}

// Role is a role to assume with the available credentials.
type Role struct {
	ARN            string
	SessionName    string
	ExternalID     string
	Duration       time.Duration // of a session; 0 means an hour
	Policy         string
	PolicyARNs     []string
	SourceIdentity string
	Tags           map[string]string
}

// WebIdentity is a role to assume with an OIDC token.
type WebIdentity struct {
	ARN         string
	SessionName string
	Duration    time.Duration // of a session; 0 means an hour
	Policy      string
	PolicyARNs  []string
	// Set one of these: Token is the OIDC token, TokenFile is a file that contains it, and
	// Fetch returns one.
	Token     secret.Secret
	TokenFile string
	Fetch     func() (secret.Secret, error)
}

// Settings are a resource's settings for its secret, in addition to the location.
type Settings struct {
	// Format is the format of the value. "" keeps the existing format, and means [JSON]
	// for a new secret.
	Format Format
	// KMSKeyID is the key that encrypts a new secret. "" means AWS's own key.
	KMSKeyID string
	// Tags are added when a secret is created, and by [Store.Retag].
	Tags map[string]string
	// RecoveryWindow is how long a deleted secret can be restored, in days: 7 to 30, or 0
	// for [DefaultRecoveryWindow].
	RecoveryWindow int
}

// DefaultRecoveryWindow is AWS's default, in days.
const DefaultRecoveryWindow = 30

// sessionName is the default name of role sessions.
const sessionName = "paistrike"

func (c *Config) setDefaults() {
	if c.Sleep == nil {
		c.Sleep = wallclock.Wait
	}
	if c.Load == nil {
		c.Load = Environment(os.Getenv)
	}
	if c.Now == nil {
		c.Now = wallclock.Now
	}
}
