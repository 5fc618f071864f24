package input

// store chooses the secret store, and audience is for the login to any.
func store() []Input {
	return []Input{
		{
			Name: "store", Default: "vault", Values: []string{"vault", "aws"},
			Help: "`vault` (HashiCorp Vault) or `aws` (AWS Secrets Manager): the store that keeps the token. Inputs that begin with the name of the other one are errors.",
		},
		{
			Name: "audience", Value: "TEXT", GitHub: true,
			Help: "Audience of GitHub's identity token. By default `vault_address` for Vault, if it is one of the role's `bound_audiences`, and `sts.amazonaws.com` for AWS.",
		},
	}
}

// awsAccess is how to reach AWS Secrets Manager, and as whom.
func awsAccess() []Input {
	return []Input{
		{
			Name: "aws_region", Value: "REGION", Env: "AWS_REGION",
			Help:     "Region of the secret, such as `eu-central-1`; by default `AWS_REGION`, which goes with credentials that the job has already.",
			Terminal: "Region of the secret, such as `eu-central-1`.",
		},
		{
			Name: "aws_role_arn", Value: "ARN", GitHub: true,
			Help: "IAM role to assume with GitHub's identity token. Without it the credentials count that the job has already.",
		},
		{Name: "aws_profile", Value: "NAME", Outside: true, Env: "AWS_PROFILE", Help: "Profile of the AWS command line, which is asked for its credentials."},
		{
			Name: "aws_endpoint", Value: "URL", Env: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
			Help:     "Address of Secrets Manager, such as that of a VPC endpoint; the region's by default. Variables such as `AWS_ENDPOINT_URL` are not read, because an earlier step could set them.",
			Terminal: "Address of Secrets Manager, such as that of a VPC endpoint; the region's by default.",
		},
		{Name: "aws_sts_endpoint", Value: "URL", Env: "AWS_ENDPOINT_URL_STS", Help: "Address of STS, which issues the credentials of roles; the region's by default."},
	}
}

// awsSecret is the secret that holds the token, or the management token.
func awsSecret() []Input {
	return []Input{
		{
			Name: "aws_secret_id", Value: "NAME", Required: true,
			Help:     "Name or ARN of the secret: that of the management token for `mint`, of the provisioned token for `read`.",
			Terminal: "Name or ARN of the secret with the management token.",
		},
		{Name: "aws_key", Default: "token", Value: "FIELD", Help: "Field of the secret, a JSON object, that holds the token. A secret that is not an object is itself the token."},
	}
}

// folderStore is where rotate, audit and abandon find their entries. A command that can do
// something to one entry alone passes the verb for it; the other passes "".
func folderStore(verb string) []Input {
	return join(
		store(),
		vault(vaultAddress(), login(), tls(), mount(), folder(verb)),
		aws(awsAccess(), prefix(verb)),
	)
}

func mount() []Input {
	return []Input{{Name: "vault_mount", Default: "secret", Value: "PATH", Help: "KV v2 engine that holds the entries."}}
}

// folder is what rotate, audit and abandon look at in Vault.
func folder(verb string) []Input {
	if verb != "" {
		return []Input{
			{Name: "vault_path", Value: "PATH", Help: "Path of one entry to " + verb + ", instead of a folder."},
			{
				Name: "vault_prefix", Value: "FOLDER",
				Help: "Folder of the entries to " + verb + ", with all folders below it; `/` for the whole engine. Set this or `vault_path`.",
			},
		}
	}
	return []Input{{
		Name: "vault_prefix", Value: "FOLDER", Required: true,
		Help: "Folder of the entries to compare with the account, with all folders below it; `/` for the whole engine.",
	}}
}

// prefix is the same in AWS, which has no folders.
func prefix(verb string) []Input {
	if verb != "" {
		return []Input{
			{Name: "aws_secret_id", Value: "NAME", Help: "Name of one secret to " + verb + ", instead of all with a prefix."},
			{
				Name: "aws_prefix", Value: "PREFIX",
				Help: "What the names of the secrets to " + verb + " begin with, up to a slash, such as `ci`; `/` for the whole region. Set this or `aws_secret_id`.",
			},
		}
	}
	return []Input{{
		Name: "aws_prefix", Value: "PREFIX", Required: true,
		Help: "What the names of the secrets to compare with the account begin with, up to a slash, such as `ci`; `/` for the whole region.",
	}}
}

// broker is where the management token is kept.
func broker() []Input {
	return join(
		vault([]Input{{Name: "broker_mount", Value: "PATH", Help: "KV v2 engine that holds the management token; `vault_mount` by default."}}),
		[]Input{
			{Name: "broker_path", Required: true, Value: "PATH", Help: "Path in Vault, or name in AWS, of the management token, with which PAIStrike is called."},
			{Name: "broker_key", Default: "token", Value: "FIELD", Help: "Field of that entry that holds the management token."},
		},
	)
}
