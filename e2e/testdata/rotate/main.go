// Command rotate runs the rotation protocol once, as a scheduled job does. It represents any
// program that embeds the protocol. The kill tests build it with failpoints.
//
//	rotate create|due|now|settle|destroy
//
// It reads PAISTRIKE_ENDPOINT and PAISTRIKE_API_TOKEN. For the store it reads VAULT_ADDR and
// VAULT_TOKEN or, if VAULT_ADDR is not set, AWS_REGION, AWS_ENDPOINT_URL and an access key
// like the AWS SDK.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "rotate:", err)
		os.Exit(1)
	}
}

const day = 24 * time.Hour

func run(ctx context.Context, what string) error {
	client, err := paistrike.New(paistrike.Config{
		Endpoint: os.Getenv("PAISTRIKE_ENDPOINT"), Token: secret.New(os.Getenv("PAISTRIKE_API_TOKEN")),
	})
	if err != nil {
		return err
	}
	store, at, err := open()
	if err != nil {
		return err
	}
	engine := rotation.New(rotation.PAIStrike{Client: client}, store)
	if what == "destroy" {
		_, err := engine.Destroy(ctx, rotation.DestroyRequest{At: at, Owner: "job", Ending: entry.EndDelete})
		return err
	}
	request := rotation.Request{
		At: at, Label: "CI/CD Pipeline", Owner: "job", MayRepublish: true,
		Policy:   schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults(),
		Schedule: schedule.Schedule{Period: "30d", Overlap: "1d", ExpiresIn: "90d"},
	}
	switch what {
	case "create":
		request.Wish, request.Reason = rotation.Rotate, schedule.ReasonCreated
	case "now":
		request.Wish, request.Reason = rotation.Rotate, schedule.ReasonForced
	case "due":
		request.Wish = rotation.IfDue
	case "settle":
		request.Wish = rotation.Settle
	default:
		return fmt.Errorf("there is no %q", what)
	}
	_, err = engine.Run(ctx, request)
	return err
}

// open opens the store and returns the location of its entry.
func open() (rotation.Store, entry.Location, error) {
	if address := os.Getenv("VAULT_ADDR"); address != "" {
		client, err := vault.New(vault.Config{
			Address: address, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(os.Getenv("VAULT_TOKEN"))},
		})
		if err != nil {
			return nil, entry.Location{}, err
		}
		return vault.NewStore(client), entry.Location{Mount: "secret", Path: "ci/paistrike", Key: "token"}, nil
	}
	region, endpoint := os.Getenv("AWS_REGION"), os.Getenv("AWS_ENDPOINT_URL")
	return aws.New(aws.Config{Region: region, Endpoint: endpoint, STSEndpoint: endpoint}), entry.Location{Region: region, Path: "ci/paistrike", Key: "token"}, nil
}
