// Package defaultchain finds a region and AWS credentials in every place that the AWS SDK
// supports: the AWS_ variables, the profiles of the shared configuration files, IAM
// Identity Center, and the role of the machine.
//
// It is separate from package aws because it links three more AWS services, which add 1.2
// MB to a program. Programs that do not need profiles can use [aws.Environment] instead.
package defaultchain

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// Load completes a configuration from the program's environment. Settings in base take
// precedence. It is an [aws.Load].
func Load(ctx context.Context, base sdk.Config, profile string) (sdk.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(base.HTTPClient), config.WithAPIOptions(base.APIOptions),
		config.WithCredentialsCacheOptions(func(o *sdk.CredentialsCacheOptions) { o.ExpiryWindow = aws.RefreshBefore }),
	}
	if base.Region != "" {
		options = append(options, config.WithRegion(base.Region))
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if base.RetryMaxAttempts != 0 {
		options = append(options, config.WithRetryMaxAttempts(base.RetryMaxAttempts))
	}
	if base.Retryer != nil {
		options = append(options, config.WithRetryer(base.Retryer))
	}
	if base.Credentials != nil {
		options = append(options, config.WithCredentialsProvider(base.Credentials))
	}
	return config.LoadDefaultConfig(ctx, options...)
}
