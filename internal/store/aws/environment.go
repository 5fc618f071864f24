package aws

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Load completes a configuration with a region and credentials from the program's
// environment. Settings in base take precedence. The endpoint in base is used only for
// STS. profile is "" unless one is configured.
type Load func(ctx context.Context, base sdk.Config, profile string) (sdk.Config, error)

// Environment finds a region and credentials as jobs, containers and machines provide
// them. The order is that of the AWS SDK: AWS_REGION, then an access key in the AWS_
// variables, the token of a web identity, a profile, a container's credentials, and the
// role of an EC2 instance. For profiles it runs the AWS CLI, which supports everything
// that profiles can contain, such as IAM Identity Center. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func Environment(getenv func(string) string) Load {
	return environment{getenv: getenv, command: "aws"}.load
}

type environment struct {
	getenv  func(string) string
	command string // the AWS CLI
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func (e environment) load(_ context.Context, base sdk.Config, profile string) (sdk.Config, error) {
	if base.Region == "" {
		base.Region = cmp.Or(e.getenv("AWS_REGION"), e.getenv("AWS_DEFAULT_REGION"))
	}
	if base.Credentials == nil {
		base.Credentials = cached(e.credentials(base, profile))
	}
	base.BaseEndpoint = nil
	return base, nil
}

// credentials chooses the source of credentials. Its only I/O is to look for files.
func (e environment) credentials(base sdk.Config, profile string) sdk.CredentialsProvider {
	key, tokenFile := e.getenv("AWS_ACCESS_KEY_ID"), e.getenv("AWS_WEB_IDENTITY_TOKEN_FILE")
	container := e.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if path := e.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); path != "" {
		container = "http://169.254.170.2" + path
	}
	named := cmp.Or(profile, e.getenv("AWS_PROFILE"))
	switch {
	case profile == "" && key != "" && e.getenv("AWS_SECRET_ACCESS_KEY") != "":
		return credentials.NewStaticCredentialsProvider(key, e.getenv("AWS_SECRET_ACCESS_KEY"), e.getenv("AWS_SESSION_TOKEN"))
	case profile == "" && tokenFile != "" && e.getenv("AWS_ROLE_ARN") != "":
		return stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(base), e.getenv("AWS_ROLE_ARN"), stscreds.IdentityTokenFile(tokenFile),
			func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName = cmp.Or(e.getenv("AWS_ROLE_SESSION_NAME"), sessionName)
			})
	case named != "" || container == "" && e.hasProfiles():
		return e.profile(named)
	case container != "":
		return e.container(base, container)
	case e.getenv("AWS_EC2_METADATA_DISABLED") == "true":
		return nowhere("there are no credentials in the environment")
	}
	return ec2rolecreds.New()
}

// nowhere returns a provider without credentials that states why.
func nowhere(why string) sdk.CredentialsProvider {
	return sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) { return sdk.Credentials{}, errors.New(why) })
}

// hasProfiles reports whether the user has configuration files of the AWS CLI.
func (e environment) hasProfiles() bool {
	home := filepath.Join(cmp.Or(e.getenv("HOME"), e.getenv("USERPROFILE")), ".aws")
	return exists(cmp.Or(e.getenv("AWS_CONFIG_FILE"), filepath.Join(home, "config"))) ||
		exists(cmp.Or(e.getenv("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, "credentials")))
}

// profile gets the credentials of a profile from the AWS CLI. "" means the default
// profile.
func (e environment) profile(name string) sdk.CredentialsProvider {
	return processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		args := []string{"configure", "export-credentials", "--format", "process"}
		if name != "" {
			args = append(args, "--profile", name)
		}
		return exec.CommandContext(ctx, e.command, args...), nil //nolint:gosec // the program of AWS
	}))
}

// container gets credentials from the endpoint that ECS or EKS provides to a container. It
// sends the container's token in plain text only to that endpoint.
func (e environment) container(base sdk.Config, address string) sdk.CredentialsProvider {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !isContainerHost(u.Hostname())) {
		return nowhere("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https address nor one of a container's host")
	}
	return endpointcreds.New(address, func(o *endpointcreds.Options) {
		o.HTTPClient, o.AuthorizationToken = base.HTTPClient, e.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if file := e.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
			o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
				text, err := os.ReadFile(file)
				return string(text), err
			})
		}
	})
}

// isContainerHost reports whether a host is this machine, or an address of the endpoints
// of ECS and EKS.
func isContainerHost(host string) bool {
	switch host {
	case "localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23":
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.IsLoopback()
}
