package provider

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// providerSchema returns the schema of the provider block. The attributes of vault and aws
// have the same names as in the hashicorp/vault and hashicorp/aws providers.
func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Creates a separate PAIStrike API token for each integration, stores the secret in HashiCorp Vault or AWS Secrets Manager and nowhere else, and rotates it with an overlap.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "URL of the PAIStrike server, `https` except on loopback. There is no default, because the management token is sent there. Environment variable: `PAISTRIKE_ENDPOINT`.",
			},
			"api_token": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "Management token that creates, lists and revokes the other tokens. Protect it, and use it for nothing else. May be an ephemeral value. Environment variable: `PAISTRIKE_API_TOKEN`.",
			},
			"api_prefix": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Path prefix of all API routes, `/api/v1` by default; `/` for none. Environment variable: `PAISTRIKE_API_PREFIX`.",
			},
			"headers": schema.MapAttribute{
				Optional: true, Sensitive: true, ElementType: types.StringType,
				MarkdownDescription: "Additional headers for every call to PAIStrike, for example to select an organization or pass an access proxy. Not shown in plans; a value that is a secret may be an ephemeral value. `Authorization` is refused.",
			},
			"auth":         authAttribute(),
			"api_routes":   routesAttribute(),
			"token_policy": tokenPolicyAttribute(),
			"plan_without_api": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to plan from the store's metadata alone, without `api_token` and without calls to PAIStrike, `false` by default. Use it in a job that plans pull requests and must not have the management token. " +
					"Such a plan does not show whether PAIStrike still accepts a token, and an apply that would change something is refused. Environment variable: `PAISTRIKE_PLAN_WITHOUT_API`.",
			},
			"vault": vaultAttribute(),
			"aws":   awsAttribute(),
		},
	}
}

func tokenPolicyAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Limits for all tokens of this provider, enforced when Terraform plans.",
		Attributes: map[string]schema.Attribute{
			"max_expires_in": schema.StringAttribute{Optional: true, Validators: []validator.String{durationValidator{}}, MarkdownDescription: "Longest allowed lifetime of a token, such as `90d`."},
			"allow_never":    schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether `expires_in = \"never\"` is allowed, `false` by default if `token_policy` is set."},
			"warn_before":    schema.StringAttribute{Optional: true, Validators: []validator.String{durationValidator{}}, MarkdownDescription: "Warn when a token without automatic rotation expires within this time, such as `14d`."},
		},
	}
}

func vaultAttribute() schema.SingleNestedAttribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	attributes := map[string]schema.Attribute{
		"address":         text("URL of Vault. Environment variable: `VAULT_ADDR`."),
		"namespace":       text("Namespace of Vault. Environment variable: `VAULT_NAMESPACE`."),
		"token":           schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Vault token. May be an ephemeral value. Environment variable: `VAULT_TOKEN`, else the file `~/.vault-token`."},
		"ca_cert_file":    text("PEM file of the CA that signed Vault's certificate. Environment variable: `VAULT_CACERT`."),
		"ca_cert_dir":     text("Directory of PEM CA certificates. Environment variable: `VAULT_CAPATH`."),
		"tls_server_name": text("Name to expect in Vault's certificate. Environment variable: `VAULT_TLS_SERVER_NAME`."),
		"skip_tls_verify": schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether to skip the verification of Vault's certificate. Anyone between this machine and Vault can then read the secrets. Environment variable: `VAULT_SKIP_VERIFY`."},
		"max_retries":     schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.Between(0, 10)}, MarkdownDescription: "How often a read from Vault is retried, `2` by default. A write is never retried blindly. Environment variable: `VAULT_MAX_RETRIES`."},
	}
	attributes["identity"] = text("Name that identifies this Vault, the same wherever it is used. Defaults to the host and port of its address. Set it if the same Vault has two addresses, if you use an agent's listener, or if a copy of this Vault runs elsewhere. Environment variable: `PAISTRIKE_VAULT_IDENTITY`.")
	attributes["former_identities"] = schema.ListAttribute{
		Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		MarkdownDescription: "Earlier identities of this Vault. Entries written under one of them stay managed, and get the current identity with their next publication.",
	}
	maps.Copy(attributes, loginAttributes())
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "The Vault server that receives the secrets, and how to log in. Set at most one `auth_login*`; without one, the provider uses `token`.",
		Attributes:          attributes,
	}
}

// loginAttributes returns the ways to log in to Vault.
func loginAttributes() map[string]schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"auth_login": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Log in with a write to any path.",
			Attributes: map[string]schema.Attribute{
				"path":       schema.StringAttribute{Required: true, MarkdownDescription: "Path of the login, such as `auth/approle/login`."},
				"namespace":  text("Namespace of the login."),
				"parameters": schema.MapAttribute{Optional: true, Sensitive: true, ElementType: types.StringType, MarkdownDescription: "Parameters of the write. Not shown in plans; may contain ephemeral values."},
			},
		},
		"auth_login_approle": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Log in with AppRole.",
			Attributes: map[string]schema.Attribute{
				"mount":     text("Mount of the method, `approle` by default."),
				"namespace": text("Namespace of the login."),
				"role_id":   schema.StringAttribute{Required: true, MarkdownDescription: "Role id."},
				"secret_id": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Secret id. May be an ephemeral value."},
			},
		},
		"auth_login_jwt": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Log in with a JWT, such as a workload identity token.",
			Attributes: map[string]schema.Attribute{
				"mount":     text("Mount of the method, `jwt` by default."),
				"namespace": text("Namespace of the login."),
				"role":      schema.StringAttribute{Required: true, MarkdownDescription: "Role of the method."},
				"jwt":       schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "The JWT. May be an ephemeral value. Environment variables: `TERRAFORM_VAULT_AUTH_JWT`, else `TFC_WORKLOAD_IDENTITY_TOKEN`."},
			},
		},
		"auth_login_kubernetes": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Log in with a Kubernetes service account.",
			Attributes: map[string]schema.Attribute{
				"mount":     text("Mount of the method, `kubernetes` by default."),
				"namespace": text("Namespace of the login."),
				"role":      schema.StringAttribute{Required: true, MarkdownDescription: "Role of the method."},
				"jwt_file":  text("File of the service account's token, `/var/run/secrets/kubernetes.io/serviceaccount/token` by default."),
			},
		},
		"auth_login_userpass": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Log in with a username and password.",
			Attributes: map[string]schema.Attribute{
				"mount":         text("Mount of the method, `userpass` by default."),
				"namespace":     text("Namespace of the login."),
				"username":      schema.StringAttribute{Required: true, MarkdownDescription: "Username."},
				"password":      schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Password. May be an ephemeral value."},
				"password_file": text("File that contains the password, instead of `password`."),
			},
		},
		"auth_login_agent": schema.SingleNestedAttribute{
			Optional: true, Attributes: map[string]schema.Attribute{},
			MarkdownDescription: "Log in through a Vault Agent or Vault Proxy: `address` is its listener, which adds a token to every request. The block is empty and requires `identity`.",
		},
		"auth_login_token_file": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "Read the Vault token from a file.",
			Attributes: map[string]schema.Attribute{
				"filename": schema.StringAttribute{Optional: true, MarkdownDescription: "The file. Environment variable: `TERRAFORM_VAULT_TOKEN_FILENAME`."},
			},
		},
	}
}
