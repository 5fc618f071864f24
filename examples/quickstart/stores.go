package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/examples/internal/storeenv"
)

// store is the secret store of a run.
type store struct {
	title, name string   // for a heading, and for a sentence
	program     string   // in .tools
	env         []string // environment of the program
	journal     string   // path of the program's list of requests

	// exports returns the variables with which Terraform reaches the store.
	exports func(address string) []string
	// place returns the display name of a path.
	place func(path string) string
	// read returns a token's secret, as a consumer would; "" if there is none.
	read func(ctx context.Context, address, path string) (string, error)
	// configuration returns main.tf with this store.
	configuration func(main string) string
}

// storeOf returns the store with a name.
func storeOf(name string) (store, error) {
	switch name {
	case "vault":
		return inVault(storeenv.NewVault()), nil
	case "aws":
		return inAWS(storeenv.NewAWS()), nil
	}
	return store{}, fmt.Errorf("there is no store %q: vault and aws are known", name)
}

// inVault returns Vault's KV engine.
func inVault(root storeenv.Vault) store {
	return store{
		title: "a Vault secrets engine", name: "Vault", program: "kv", env: root.Server(), journal: "/_kv/journal",
		exports:       root.Clients,
		place:         func(path string) string { return "secret/" + path },
		configuration: func(main string) string { return main },
		read: func(ctx context.Context, address, path string) (string, error) {
			var answer struct {
				Data struct {
					Data map[string]any `json:"data"`
				} `json:"data"`
			}
			found, err := get(ctx, address+"/v1/secret/data/"+path, &answer, "X-Vault-Token", root.Token)
			if err != nil || !found {
				return "", err
			}
			secret, _ := answer.Data.Data["token"].(string)
			return secret, nil
		},
	}
}

// inVaultOf matches the location of a token in main.tf.
var inVaultOf = regexp.MustCompile(`vault +(= \{ )mount = "secret", path = ("[^"]+") \}`)

// inAWS returns AWS Secrets Manager.
func inAWS(key storeenv.AWS) store {
	return store{
		title: "an AWS Secrets Manager", name: "AWS Secrets Manager", program: "secretsmanager", journal: "/_aws/journal",
		env:     key.Server(),
		exports: key.Clients,
		place:   func(path string) string { return path },
		configuration: func(main string) string {
			return inVaultOf.ReplaceAllString(main, "aws_secrets_manager ${1}name = $2 }")
		},
		read: func(ctx context.Context, address, path string) (string, error) {
			client := secretsmanager.New(secretsmanager.Options{
				Region: storeenv.Region, BaseEndpoint: &address, Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
			})
			out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &path})
			var deleted *types.InvalidRequestException
			var unknown *types.ResourceNotFoundException
			if errors.As(err, &deleted) || errors.As(err, &unknown) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			var value struct{ Token string }
			if err := json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &value); err != nil {
				return "", fmt.Errorf("reading %s: the value is not an object", path)
			}
			return value.Token, nil
		},
	}
}

// get reads JSON and reports whether it exists.
func get(ctx context.Context, url string, into any, header ...string) (found bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return false, nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return false, fmt.Errorf("reading %s: %w", request.URL.Path, err)
	}
	return true, nil
}
