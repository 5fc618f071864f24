package aws

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Config says how to reach AWS. What is left out comes from the surroundings of the
// program.
type Config struct {
	Region  string
	Profile string
	// Endpoint is the URL of Secrets Manager, and STSEndpoint that of STS; "" is the
	// region's.
	Endpoint, STSEndpoint string
	// Load finds what is left out; nil is [Environment]. Package defaultchain has the one
	// that knows every place where the AWS SDK looks.
	Load Load
	// Credentials go before what Load finds.
	Credentials *Credentials
	// OnCredentials is told of each secret of the credentials before it is used. If it
	// fails, so does the login. It may be nil.
	OnCredentials func(secret.Secret) error
	// AssumeRoleWithWebIdentity replaces what Load finds; AssumeRole comes on top of
	// either.
	AssumeRoleWithWebIdentity *WebIdentity
	AssumeRole                *Role

	// Identity tells this account from all others; "" is the account's number. It
	// matters for servers that are compatible with AWS and know no accounts.
	Identity string
	// FormerIdentities are those under which entries were written before.
	FormerIdentities []string

	// MaxAttempts is how often a call is tried, the first time included; 0 is the SDK's
	// default. A write is repeated only if AWS says that it did nothing.
	MaxAttempts int
	Version     string // of this program, for the User-Agent

	// Transport carries the requests instead of a transport of the SDK's own.
	Transport http.RoundTripper
	// RetryDelay is the pause before an attempt; nil is the SDK's.
	RetryDelay func(attempt int, err error) (time.Duration, error)
	// Sleep waits for a turn to write; nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now is this machine's clock; nil is [wallclock.Now].
	Now func() time.Time
}

// Credentials are an access key.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey secret.Secret
	SessionToken    secret.Secret // zero for a key that does not expire
}

// Role is a role to assume with the credentials at hand.
type Role struct {
	ARN            string
	SessionName    string
	ExternalID     string
	Duration       time.Duration // of a session; 0 is an hour
	Policy         string
	PolicyARNs     []string
	SourceIdentity string
	Tags           map[string]string
}

// WebIdentity is a role to assume with an OIDC token.
type WebIdentity struct {
	ARN         string
	SessionName string
	Duration    time.Duration // of a session; 0 is an hour
	Policy      string
	PolicyARNs  []string
	// Token is the OIDC token, TokenFile a file that holds it, and Fetch returns one;
	// one of the three.
	Token     secret.Secret
	TokenFile string
	Fetch     func() (secret.Secret, error)
}

// Settings are what a resource says of its secret beside the location.
type Settings struct {
	// Format is what the value is; "" keeps what is there, and is [JSON] for a new secret.
	Format Format
	// KMSKeyID encrypts a secret that is created; "" is AWS's own key.
	KMSKeyID string
	// Tags are put on a secret that is created, and by [Store.Retag].
	Tags map[string]string
	// RecoveryWindow is how many days a deleted secret can be restored: 7 to 30, or 0
	// for [DefaultRecoveryWindow].
	RecoveryWindow int
}

// DefaultRecoveryWindow is AWS's default, in days.
const DefaultRecoveryWindow = 30

// sessionName names the sessions of a role unless the configuration does.
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
