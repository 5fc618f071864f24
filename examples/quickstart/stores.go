package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// store is a secret store that the story plays in.
type store struct {
	title, name string   // in a heading, and in a sentence
	program     string   // in .tools
	env         []string // of the program
	journal     string   // where the program tells which requests it saw

	// exports are what Terraform needs to reach it.
	exports func(address string) []string
	// place names a path for people.
	place func(path string) string
	// read reads a token's secret, as a consumer would; "" if there is none.
	read func(ctx context.Context, address, path string) (string, error)
	// configuration is main.tf with this store in it.
	configuration func(main string) string
}

// storeOf returns the store of a name.
func storeOf(name string) (store, error) {
	switch name {
	case "vault":
		return inVault(rand.Text()), nil
	case "aws":
		return inAWS("AKIA"+rand.Text()[:16], rand.Text()), nil
	}
	return store{}, fmt.Errorf("there is no store %q: vault and aws are known", name)
}

// inVault is Vault's KV engine.
func inVault(root string) store {
	return store{
		title: "a Vault secrets engine", name: "Vault", program: "kv", env: []string{"KV_ROOT_TOKEN=" + root}, journal: "/_kv/journal",
		exports:       func(address string) []string { return []string{"VAULT_ADDR=" + address, "VAULT_TOKEN=" + root} },
		place:         func(path string) string { return "secret/" + path },
		configuration: func(main string) string { return main },
		read: func(ctx context.Context, address, path string) (string, error) {
			var answer struct {
				Data struct {
					Data map[string]any `json:"data"`
				} `json:"data"`
			}
			found, err := get(ctx, address+"/v1/secret/data/"+path, &answer, "X-Vault-Token", root)
			if err != nil || !found {
				return "", err
			}
			secret, _ := answer.Data.Data["token"].(string)
			return secret, nil
		},
	}
}

const region = "eu-central-1"

// inVaultOf finds the place of a token in main.tf.
var inVaultOf = regexp.MustCompile(`vault +(= \{ )mount = "secret", path = ("[^"]+") \}`)

// inAWS is AWS Secrets Manager.
func inAWS(key, secret string) store {
	return store{
		title: "an AWS Secrets Manager", name: "AWS Secrets Manager", program: "secretsmanager", journal: "/_aws/journal",
		env: []string{"SECRETSMANAGER_ACCESS_KEY_ID=" + key, "SECRETSMANAGER_SECRET_ACCESS_KEY=" + secret},
		exports: func(address string) []string {
			return []string{
				"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + address, "AWS_ENDPOINT_URL_STS=" + address, "AWS_REGION=" + region,
				"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret,
			}
		},
		place: func(path string) string { return path },
		configuration: func(main string) string {
			return inVaultOf.ReplaceAllString(main, "aws_secrets_manager ${1}name = $2 }")
		},
		read: func(ctx context.Context, address, path string) (string, error) {
			client := secretsmanager.New(secretsmanager.Options{
				Region: region, BaseEndpoint: &address, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
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

// get reads JSON, and reports whether anything is there.
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
