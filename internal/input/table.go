// Package input is the single table of all settings: the inputs of the action and its
// sub-actions, which are also the flags and variables of the commands. Each input is defined
// once, in a group. Each action or command combines the groups it needs.
//
// The inputs in the action.yml files, the tables in the READMEs and the help of the commands
// are generated from this table. internal/job validates the values.
package input

import "slices"

// Input is one setting.
type Input struct {
	Name string // "vault_path"
	// Default is the value of an empty input.
	Default string
	// Help is a description of one or two sentences in Markdown, with names of inputs in
	// backquotes.
	Help string
	// Terminal replaces Help on the command line, if not empty.
	Terminal string
	// Value is the placeholder for the flag's value in help: "DURATION".
	Value string
	// Values lists the allowed values, if they are few.
	Values []string
	// Required inputs have no default and must be set.
	Required bool
	// Store is the secret store that the input is for; "" means all.
	Store string
	// Login lists the Vault login methods that the input is for, separated by spaces; ""
	// means all.
	Login string
	// Secret inputs are not saved for the post step and have no flag.
	Secret bool
	// Launcher inputs are read only by the launcher.
	Launcher bool
	// Bool inputs are true or false. On the command line, the flag without a value means
	// true.
	Bool bool
	// Env is a variable that sets the input outside GitHub, in addition to PAISTRIKE_<NAME>.
	Env string
	// Outside inputs exist only on the command line, GitHub inputs only in workflows.
	Outside, GitHub bool
}

// Token returns the inputs of action/, which provides a job's token.
func Token() []Input {
	return join(mode(), api(), newToken("gha"), store(), vault(vaultAddress(), login(), entry(), tls()), aws(awsAccess(), awsSecret()), handover(), run("2m"), launcher())
}

// Exec returns the inputs of the command exec. It always revokes the token, exports it only
// to its command, and writes no summary.
func Exec() []Input {
	return join(api(), newToken("exec"), management(), store(), vault(vaultAddress(), login(), entry(), tls()), aws(awsAccess(), awsSecret()), variable(), verify(), budget("2m"))
}

// Rotate returns the inputs of action/rotate and the command rotate.
func Rotate() []Input {
	return join(api(), folderStore("rotate"), broker(), management(), rotation(), walk(), fail("error", "overdue"), run("15m"), launcher())
}

// Audit returns the inputs of action/audit and the command audit.
func Audit() []Input {
	return join(api(), folderStore(""), broker(), management(), limits(), notices(), walk(), fail("error", "warning", "none"), run("15m"), launcher())
}

// Abandon returns the inputs of the command abandon, which does not call PAIStrike and needs
// no token for it.
func Abandon() []Input {
	return join(gone(), folderStore("close"), dryRun(), walk(), budget("15m"))
}

func join(groups ...[]Input) []Input { return slices.Concat(groups...) }

// vault and aws mark groups as inputs for one store.
func vault(groups ...[]Input) []Input { return only("vault", groups) }

func aws(groups ...[]Input) []Input { return only("aws", groups) }

func only(store string, groups [][]Input) []Input {
	all := join(groups...)
	for i := range all {
		all[i].Store = store
	}
	return all
}

func mode() []Input {
	return []Input{{
		Name: "mode", Default: "mint", Values: []string{"mint", "read"},
		Help: "`mint` creates a token for this job and revokes it when the job ends. `read` returns the token that Terraform keeps in the secret store.",
	}}
}

// api returns the inputs for access to PAIStrike.
func api() []Input {
	return []Input{
		{Name: "endpoint", Required: true, Value: "URL", Help: "URL of PAIStrike, such as `https://paistrike.example.com`."},
		apiPrefix(),
		{Name: "api_routes", Value: "JSON", Help: "Paths and field names of the API, if they differ from the defaults: a JSON object with the keys of the provider's `api_routes`."},
		{Name: "auth", Value: "JSON", Help: "How requests send the token: a JSON object with the keys of the provider's `auth`. Defaults to `Authorization: Bearer`."},
		{
			Name: "headers", Secret: true, Help: "Additional headers for requests to PAIStrike, one `Name: value` per line. Values of 8 or more characters are masked.",
			Terminal: "Additional headers for requests to PAIStrike, one `Name: value` per line.",
		},
	}
}

// gone returns the inputs that identify a PAIStrike that no longer exists.
func gone() []Input {
	return []Input{
		{Name: "endpoint", Required: true, Value: "URL", Help: "URL of the PAIStrike that no longer exists. It is never called. Entries of any other PAIStrike are left unchanged."},
		apiPrefix(),
	}
}

func apiPrefix() Input {
	return Input{Name: "api_prefix", Default: "/api/v1", Value: "PATH", Help: "Path prefix of all API routes; `/` for none."}
}

func newToken(label string) []Input {
	return []Input{
		{Name: "expires_in", Default: "1h", Value: "DURATION", Help: "Mint: lifetime of the token, such as `30m`, `4h` or `1d`. A short lifetime limits the damage if the token leaks.", Terminal: "Lifetime of the token, such as `30m`, `4h` or `1d`. A short lifetime limits the damage if the token leaks."},
		{Name: "label", Default: label, Value: "TEXT", Help: "Mint: prefix of the token's name, up to 40 characters. The repository, run, job and a random part are appended.", Terminal: "Prefix of the token's name, up to 40 characters. The project, run, job and a random part are appended."},
	}
}

func vaultAddress() []Input {
	return []Input{
		{
			Name: "vault_address", Required: true, Value: "URL", Env: "VAULT_ADDR",
			Help:     "Address of Vault. `VAULT_ADDR` and other `VAULT_` variables are not read, because an earlier step could set them.",
			Terminal: "Address of Vault, without `/v1` or `/ui`.",
		},
		{Name: "vault_namespace", Value: "NAMESPACE", Env: "VAULT_NAMESPACE", Help: "Vault namespace of the entry."},
		{Name: "vault_auth_namespace", Value: "NAMESPACE", Help: "Vault namespace to log in to. Defaults to the namespace of the entry."},
		{Name: "vault_identity", Value: "NAME", Env: "PAISTRIKE_VAULT_IDENTITY", Help: "Name that identifies this Vault, the same wherever it is used. Defaults to the host and port of its address. Required for `agent`."},
		{Name: "vault_former_identities", Value: "NAMES", Help: "Earlier identities of this Vault, separated by commas. Entries written under one of them stay managed."},
	}
}

// login returns the inputs for a Vault login.
func login() []Input {
	return []Input{
		{
			Name: "vault_auth_method", Default: "jwt", Value: "METHOD", Values: []string{"jwt", "approle", "token", "kubernetes", "userpass", "agent"},
			Help: "Login method: `jwt` (GitHub's OIDC token), `approle`, `kubernetes`, `userpass`, `token`, or `agent` for the listener of a Vault Agent that adds its own token.",
			Terminal: "Login method: `jwt` (your CI's OIDC token), `approle`, `kubernetes`, `userpass`, `token`, or `agent` for the listener of a Vault Agent that adds its own token. " +
				"Defaults to `jwt` if there is an OIDC token, otherwise `token`; in GitHub Actions to `jwt`.",
		},
		{Name: "vault_auth_path", Value: "PATH", Help: "Path of the auth method's mount, without `auth/`. Defaults to the name of the method."},
		{Name: "vault_role", Value: "ROLE", Login: "jwt kubernetes", Help: "Vault role, for `jwt` and `kubernetes`."},
		{Name: "vault_jwt", Login: "jwt", Secret: true, Outside: true, Help: "OIDC token of your CI, for `jwt`."},
		{Name: "vault_jwt_file", Value: "FILE", Login: "jwt", Outside: true, Help: "File with your CI's OIDC token, for `jwt`."},
		{Name: "vault_role_id", Value: "ID", Login: "approle", Help: "Role ID, for `approle`."},
		{Name: "vault_secret_id", Login: "approle", Secret: true, Help: "Secret ID, for `approle`."},
		{Name: "vault_username", Value: "NAME", Login: "userpass", Help: "Username, for `userpass`."},
		{Name: "vault_password", Login: "userpass", Secret: true, Help: "Password, for `userpass`."},
		{
			Name: "vault_token", Login: "token", Secret: true, Env: "VAULT_TOKEN", Help: "Vault token, for `token`. It is not revoked.",
			Terminal: "Vault token, for `token`. Defaults to the one that `vault login` wrote to `~/.vault-token`. It is not revoked.",
		},
		{Name: "kubernetes_token_path", Value: "FILE", Login: "kubernetes", Help: "File with the pod's service account token, for `kubernetes`. Defaults to the file that Kubernetes mounts."},
	}
}

// management returns the input for a management token that no store contains.
func management() []Input {
	return []Input{{
		Name: "api_token", Secret: true, Outside: true,
		Help: "Management token for PAIStrike, instead of an entry in a secret store.",
	}}
}

func tls() []Input {
	return []Input{
		{
			Name: "vault_ca_cert", Value: "PEM", Env: "VAULT_CACERT",
			Help: "CA certificate to trust for Vault, in addition to the system's: PEM, base64-encoded PEM, or the path of a file.",
		},
		{Name: "vault_client_cert", Value: "PEM", Help: "Client certificate for Vault: PEM, base64-encoded PEM, or the path of a file."},
		{Name: "vault_client_key", Secret: true, Help: "Private key of the client certificate, in the same formats."},
		{Name: "vault_tls_server_name", Value: "NAME", Help: "Name to expect in Vault's certificate, if it differs from the host of the address."},
		{
			Name: "vault_headers", Secret: true,
			Help:     "Additional headers for requests to Vault, such as for a proxy, one `Name: value` per line. Values of 8 or more characters are masked.",
			Terminal: "Additional headers for requests to Vault, such as for a proxy, one `Name: value` per line.",
		},
	}
}

// entry returns the inputs that locate the entry with the token or the management token.
func entry() []Input {
	return []Input{
		{Name: "vault_mount", Default: "secret", Value: "PATH", Help: "Mount path of the KV v2 secrets engine that contains the entry."},
		{
			Name: "vault_path", Required: true, Value: "PATH",
			Help:     "Path of the entry with the management token (`mint`) or the provisioned token (`read`), without `data/`.",
			Terminal: "Path of the entry with the management token, without `data/`.",
		},
		{Name: "vault_key", Default: "token", Value: "FIELD", Help: "Field of the entry that contains the token."},
	}
}

func variable() []Input {
	return []Input{{
		Name: "env_name", Default: "PAISTRIKE_API_TOKEN", Value: "NAME",
		Help: "Environment variable to set for later steps.", Terminal: "Environment variable to set for the command.",
	}}
}

func verify() []Input {
	return []Input{{Name: "verify", Default: "true", Bool: true, Help: "Whether to check that PAIStrike accepts the token before it is used."}}
}

// handover returns the inputs for passing the token to a job.
func handover() []Input {
	return join(variable(), []Input{
		{Name: "export_env", Default: "true", Bool: true, Help: "Whether to set that variable. With `false` the token is only an output, for the `env` of individual steps."},
		{Name: "revoke", Default: "true", Bool: true, Help: "Mint: whether to revoke the token when the job ends."},
		{Name: "on_revoke_failure", Default: "warn", Values: []string{"warn", "error"}, Help: "`warn` or `error`: whether the job fails if the token cannot be revoked."},
		{
			Name: "on_untrusted", Default: "error", Values: []string{"error", "skip"},
			Help: "`error` or `skip`: what to do in runs from forks and Dependabot, which cannot request an OIDC token. `skip` sets the output `skipped` to `true`.",
		},
		{Name: "min_remaining", Default: "15m", Value: "DURATION", Help: "Read: minimum remaining lifetime of the token; `0` for no minimum."},
	}, verify())
}

func dryRun() []Input {
	return []Input{{Name: "dry_run", Default: "false", Bool: true, Help: "`true` reports what a run would do without changing anything."}}
}

func rotation() []Input {
	return join(dryRun(), []Input{
		{Name: "force", Default: "false", Bool: true, Help: "`true` replaces every token even if it is not due, such as after an incident."},
		{Name: "revoke_previous", Default: "false", Bool: true, Help: "`true` revokes replaced tokens as soon as the new ones are stored, without an overlap. For incidents; requires `force`."},
		{Name: "adopt", Default: "false", Bool: true, Help: "`true` adopts tokens that are in use but were never published by this store: they work for one overlap and are then revoked. For a store that was restored from a backup."},
		{Name: "only_due", Default: "false", Bool: true, Help: "`true` omits entries that need no action from the table and the report."},
		{Name: "shard", Value: "K/N", Help: "Shard `K` of `N`, such as `3/10`, to divide a folder among `N` runs. An entry is always in the same shard."},
	})
}

// limits returns the thresholds of an audit.
func limits() []Input {
	return []Input{
		{Name: "unused_after", Default: "30d", Value: "DURATION", Help: "Report tokens that have not been used for this long."},
		{Name: "max_expires_in", Default: "90d", Value: "DURATION", Help: "Report tokens with a longer lifetime than this."},
		{Name: "warn_before", Default: "14d", Value: "DURATION", Help: "Report tokens that expire within this time, unless a schedule replaces them."},
		{Name: "job_time", Default: "6h", Value: "DURATION", Help: "Report tokens that were created for a job or a Terraform run longer ago than this, because that run must have ended."},
		{Name: "sweep", Default: "false", Bool: true, Help: "`true` revokes orphaned tokens, by the same rule as a rotation."},
	}
}

// notices returns the inputs that publish an audit's findings.
func notices() []Input {
	return []Input{
		{Name: "sarif_file", Value: "FILE", Help: "File to write the findings to as SARIF 2.1.0, such as for GitHub code scanning."},
		{Name: "metrics_file", Value: "FILE", Help: "File to write metrics to in the OpenMetrics format, such as for the textfile collector of the Prometheus node exporter."},
		{Name: "webhook_url", Secret: true, Help: "URL to which the report is sent as JSON in a POST request."},
		{Name: "issues_repository", Value: "OWNER/NAME", Help: "Repository in which to open, update and close one issue for each kind of finding."},
		{Name: "issues_service", Default: "github", Values: []string{"github", "gitlab"}, Help: "`github` or `gitlab`: the service that hosts that repository."},
		{Name: "issues_api", Value: "URL", Help: "URL of that service's API. Defaults to the API of github.com or gitlab.com."},
		{Name: "issues_token", Secret: true, Help: "Token with permission to write issues in that repository."},
	}
}

func walk() []Input {
	return []Input{
		{
			Name: "allow_empty", Default: "false", Bool: true,
			Help: "`true` lets a run succeed if it finds no entries. By default it fails, because a misspelled folder looks like an empty one.",
		},
		{Name: "concurrency", Default: "4", Value: "N", Help: "Number of entries to process at the same time, 1 to 32."},
	}
}

// fail returns the input for conditions, in addition to errors, that fail a run.
func fail(values ...string) []Input {
	help := "`error`, `warning` or `none`: the lowest severity of a finding that fails the step."
	terminal := "`error`, `warning` or `none`: the lowest severity of a finding that ends the command with exit code 3."
	if len(values) == 2 {
		help = "`error` fails the step only if entries failed; `overdue` also if tokens are still overdue after the run."
		terminal = "`error` or `overdue`: with `overdue`, the command ends with exit code 3 if tokens are still overdue after the run."
	}
	return []Input{{Name: "fail_on", Default: "error", Values: values, Help: help, Terminal: terminal}}
}

// run returns the inputs for a step of a workflow.
func run(timeout string) []Input {
	return join([]Input{{Name: "summary", Default: "true", Bool: true, GitHub: true, Help: "Whether to write a table to the job summary."}}, budget(timeout))
}

func budget(timeout string) []Input {
	return []Input{
		{Name: "timeout", Default: timeout, Value: "DURATION", Help: "Maximum duration of the step.", Terminal: "Maximum duration of the run."},
		{Name: "max_attempts", Default: "5", Value: "N", Help: "Maximum number of attempts for a request that fails for a temporary reason, 1 to 20."},
	}
}

// launcher returns the inputs for downloading the program.
func launcher() []Input {
	return []Input{
		{Name: "binary_path", Launcher: true, Help: "Path of the program, to run it instead of downloading it on runners without access to github.com. Its checksum is still verified."},
		{Name: "binary_mirror", Launcher: true, Help: "URL to download the program from instead of the releases on github.com. Its checksum is still verified."},
	}
}
