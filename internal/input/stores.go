package input

// store returns the inputs that choose the secret store and its login audience.
func store() []Input {
	return []Input{
		{
			Name: "store", Default: "vault", Values: []string{"vault", "aws"},
			Help: "Secret store that contains the token: `vault` (HashiCorp Vault) or `aws` (AWS Secrets Manager). Setting an input of the other store is an error.",
		},
		{
			Name: "audience", Value: "TEXT", GitHub: true,
			Help: "Audience of GitHub's OIDC token. Defaults to `vault_address` for Vault, which must then be one of the role's `bound_audiences`, and to `sts.amazonaws.com` for AWS.",
		},
	}
}

// awsAccess returns the inputs for access to AWS Secrets Manager.
func awsAccess() []Input {
	return []Input{
		{
			Name: "aws_region", Value: "REGION", Env: "AWS_REGION",
			Help:     "Region of the secret, such as `eu-central-1`. Defaults to `AWS_REGION` of the job.",
			Terminal: "Region of the secret, such as `eu-central-1`.",
		},
		{
			Name: "aws_role_arn", Value: "ARN", GitHub: true,
			Help: "ARN of the IAM role to assume with GitHub's OIDC token. Defaults to the AWS credentials that the job already has.",
		},
		{Name: "aws_profile", Value: "NAME", Outside: true, Env: "AWS_PROFILE", Help: "Profile of the AWS CLI to take the credentials from."},
		{
			Name: "aws_endpoint", Value: "URL", Env: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
			Help:     "URL of Secrets Manager, such as a VPC endpoint. Defaults to the endpoint of the region. Variables such as `AWS_ENDPOINT_URL` are not read, because an earlier step could set them.",
			Terminal: "URL of Secrets Manager, such as a VPC endpoint. Defaults to the endpoint of the region.",
		},
		{Name: "aws_sts_endpoint", Value: "URL", Env: "AWS_ENDPOINT_URL_STS", Help: "URL of AWS STS, which issues credentials for roles. Defaults to the endpoint of the region."},
	}
}

// awsSecret returns the inputs that locate the secret with the token or the management token.
func awsSecret() []Input {
	return []Input{
		{
			Name: "aws_secret_id", Value: "NAME", Required: true,
			Help:     "Name or ARN of the secret with the management token (`mint`) or the provisioned token (`read`).",
			Terminal: "Name or ARN of the secret with the management token.",
		},
		{Name: "aws_key", Default: "token", Value: "FIELD", Help: "Field that contains the token, if the secret is a JSON object. Otherwise the whole secret is the token."},
	}
}

// folderStore returns the inputs that select the entries of rotate, audit and abandon. A
// command that also works on a single entry passes its verb; others pass "".
func folderStore(verb string) []Input {
	return join(
		store(),
		vault(vaultAddress(), login(), tls(), mount(), folder(verb)),
		aws(awsAccess(), prefix(verb)),
	)
}

func mount() []Input {
	return []Input{{Name: "vault_mount", Default: "secret", Value: "PATH", Help: "Mount path of the KV v2 secrets engine that contains the entries."}}
}

// folder returns the inputs that select entries in Vault.
func folder(verb string) []Input {
	if verb != "" {
		return []Input{
			{Name: "vault_path", Value: "PATH", Help: "Path of a single entry to " + verb + "."},
			{
				Name: "vault_prefix", Value: "FOLDER",
				Help: "Folder of entries to " + verb + ", including subfolders; `/` for the whole mount. Set either this or `vault_path`.",
			},
		}
	}
	return []Input{{
		Name: "vault_prefix", Value: "FOLDER", Required: true,
		Help: "Folder of entries to compare with the account, including subfolders; `/` for the whole mount.",
	}}
}

// prefix returns the inputs that select entries in AWS, which has no folders.
func prefix(verb string) []Input {
	if verb != "" {
		return []Input{
			{Name: "aws_secret_id", Value: "NAME", Help: "Name of a single secret to " + verb + "."},
			{
				Name: "aws_prefix", Value: "PREFIX",
				Help: "Prefix of the names of secrets to " + verb + ", up to a slash, such as `ci`; `/` for the whole region. Set either this or `aws_secret_id`.",
			},
		}
	}
	return []Input{{
		Name: "aws_prefix", Value: "PREFIX", Required: true,
		Help: "Prefix of the names of secrets to compare with the account, up to a slash, such as `ci`; `/` for the whole region.",
	}}
}

// broker returns the inputs that locate the management token.
func broker() []Input {
	return join(
		vault([]Input{{Name: "broker_mount", Value: "PATH", Help: "Mount path of the KV v2 secrets engine that contains the management token. Defaults to `vault_mount`."}}),
		[]Input{
			{Name: "broker_path", Required: true, Value: "PATH", Help: "Path (Vault) or name (AWS) of the entry with the management token for PAIStrike."},
			{Name: "broker_key", Default: "token", Value: "FIELD", Help: "Field of that entry that contains the management token."},
		},
	)
}
