// Package input is the one table of what users set: every input of the action and its
// sub-actions, which are also the flags and variables of the commands. Each input is named
// once, in a group, and each action or command is the sum of the groups that it takes.
//
// The inputs of the action.yml files, the tables of the READMEs and the help of the commands
// are written from here. What values mean is checked in internal/job.
package input

import "slices"

// Input is one thing that users set.
type Input struct {
	Name string // "vault_path"
	// Default is what an empty input means.
	Default string
	// Help is one sentence or two, in Markdown, with names of inputs in backquotes.
	Help string
	// Terminal replaces Help on a command line, if the words differ there.
	Terminal string
	// Value names what a flag takes, for its help: "DURATION".
	Value string
	// Values are all that the input may be, if they are few.
	Values []string
	// Required inputs have no default and must be set.
	Required bool
	// Store names the one secret store that takes the input; "" are all.
	Store string
	// Login names the login methods of Vault that take the input, separated by spaces; ""
	// are all.
	Login string
	// Secret inputs are not kept for the post step, and are not flags.
	Secret bool
	// Launcher inputs are read by the launcher alone.
	Launcher bool
	// Bool inputs are true or false; on a command line the name alone turns one on.
	Bool bool
	// Env is a variable that sets the input outside GitHub, beside PAISTRIKE_<NAME>.
	Env string
	// Outside inputs exist on a command line alone, GitHub inputs in workflows alone.
	Outside, GitHub bool
}

// Token are the inputs of action/, which hands a job its token.
func Token() []Input {
	return join(mode(), api(), newToken("gha"), store(), vault(vaultAddress(), login(), entry(), tls()), aws(awsAccess(), awsSecret()), handover(), run("2m"), launcher())
}

// Exec are the inputs of the command exec. It always revokes, exports nothing to others, and
// writes no page.
func Exec() []Input {
	return join(api(), newToken("exec"), management(), store(), vault(vaultAddress(), login(), entry(), tls()), aws(awsAccess(), awsSecret()), variable(), verify(), budget("2m"))
}

// Rotate are the inputs of action/rotate and the command rotate.
func Rotate() []Input {
	return join(api(), folderStore("rotate"), broker(), management(), rotation(), walk(), fail("error", "overdue"), run("15m"), launcher())
}

// Audit are the inputs of action/audit and the command audit.
func Audit() []Input {
	return join(api(), folderStore(""), broker(), management(), limits(), notices(), walk(), fail("error", "warning", "none"), run("15m"), launcher())
}

// Abandon are the inputs of the command abandon, which calls no PAIStrike and needs no token
// of it.
func Abandon() []Input {
	return join(gone(), folderStore("close"), dryRun(), walk(), budget("15m"))
}

func join(groups ...[]Input) []Input { return slices.Concat(groups...) }

// vault and aws mark groups as those of one store.
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
		Help: "`mint` makes a token for this job, and revokes it when the job ends. `read` hands out the token that a store keeps.",
	}}
}

// api is how to reach PAIStrike.
func api() []Input {
	return []Input{
		{Name: "endpoint", Required: true, Value: "URL", Help: "Address of PAIStrike, such as `https://paistrike.example.com`."},
		apiPrefix(),
		{Name: "api_routes", Value: "JSON", Help: "Routes and names of an API of another shape, as a JSON object with the keys of the provider's `api_routes`."},
		{Name: "auth", Value: "JSON", Help: "How a call carries the token, as a JSON object with the keys of the provider's `auth`; `Authorization: Bearer` by default."},
		{
			Name: "headers", Secret: true, Help: "Headers for PAIStrike, one `Name: value` per line. Values of 8 characters or more are masked.",
			Terminal: "Headers for PAIStrike, one `Name: value` per line.",
		},
	}
}

// gone names the PAIStrike that is gone for good.
func gone() []Input {
	return []Input{
		{Name: "endpoint", Required: true, Value: "URL", Help: "Address of the PAIStrike that is gone. It is not called; entries of another one are left alone."},
		apiPrefix(),
	}
}

func apiPrefix() Input {
	return Input{Name: "api_prefix", Default: "/api/v1", Value: "PATH", Help: "Path before every route of the API; `/` for none."}
}

func newToken(label string) []Input {
	return []Input{
		{Name: "expires_in", Default: "1h", Value: "DURATION", Help: "Mint: life of the token, such as `30m`, `4h` or `1d`. It bounds what a lost token can do.", Terminal: "Life of the token, such as `30m`, `4h` or `1d`. It bounds what a lost token can do."},
		{Name: "label", Default: label, Value: "TEXT", Help: "Mint: start of the token's name, 40 characters at most. The name goes on with repository, run, job and something random.", Terminal: "Start of the token's name, 40 characters at most. The name goes on with project, run, job and something random."},
	}
}

func vaultAddress() []Input {
	return []Input{
		{
			Name: "vault_address", Required: true, Value: "URL", Env: "VAULT_ADDR",
			Help:     "Address of Vault. `VAULT_ADDR` and the like are not read, because an earlier step could set them.",
			Terminal: "Address of Vault, without `/v1` or `/ui`.",
		},
		{Name: "vault_namespace", Value: "NAMESPACE", Env: "VAULT_NAMESPACE", Help: "Namespace of the entry in Vault."},
		{Name: "vault_auth_namespace", Value: "NAMESPACE", Help: "Namespace of the login; that of the entry by default."},
		{Name: "vault_identity", Value: "NAME", Env: "PAISTRIKE_VAULT_IDENTITY", Help: "What tells this Vault from all others, the same in every place that uses it; host and port of its address by default. `agent` needs one."},
		{Name: "vault_former_identities", Value: "NAMES", Help: "Identities that this Vault had before, separated by commas. Entries that were written under one of them stay managed."},
	}
}

// login is how to get a Vault token.
func login() []Input {
	return []Input{
		{
			Name: "vault_auth_method", Default: "jwt", Value: "METHOD", Values: []string{"jwt", "approle", "token", "kubernetes", "userpass", "agent"},
			Help: "`jwt` (GitHub's identity token), `approle`, `kubernetes`, `userpass`, `token`, or `agent` for a Vault agent's listener that adds its own token.",
			Terminal: "`jwt` (an identity token of your CI), `approle`, `kubernetes`, `userpass`, `token`, or `agent` for a Vault agent's listener that adds its own token. " +
				"By default `jwt` if there is one, else `token`; inside GitHub always `jwt`.",
		},
		{Name: "vault_auth_path", Value: "PATH", Help: "Path at which the login method is mounted, without `auth/`; the method's name by default."},
		{Name: "vault_role", Value: "ROLE", Login: "jwt kubernetes", Help: "Vault role, for `jwt` and `kubernetes`."},
		{Name: "vault_jwt", Login: "jwt", Secret: true, Outside: true, Help: "Identity token of your CI, for `jwt`."},
		{Name: "vault_jwt_file", Value: "FILE", Login: "jwt", Outside: true, Help: "File with the identity token of your CI, for `jwt`."},
		{Name: "vault_role_id", Value: "ID", Login: "approle", Help: "Role id, for `approle`."},
		{Name: "vault_secret_id", Login: "approle", Secret: true, Help: "Secret id, for `approle`."},
		{Name: "vault_username", Value: "NAME", Login: "userpass", Help: "User name, for `userpass`."},
		{Name: "vault_password", Login: "userpass", Secret: true, Help: "Password, for `userpass`."},
		{
			Name: "vault_token", Login: "token", Secret: true, Env: "VAULT_TOKEN", Help: "Vault token, for `token`. It is not revoked.",
			Terminal: "Vault token, for `token`; by default that of `vault login`, in `~/.vault-token`. It is not revoked.",
		},
		{Name: "kubernetes_token_path", Value: "FILE", Login: "kubernetes", Help: "File with the pod's token, for `kubernetes`; the file that Kubernetes mounts by default."},
	}
}

// management is the management token itself, if no store keeps it.
func management() []Input {
	return []Input{{
		Name: "api_token", Secret: true, Outside: true,
		Help: "Management token, with which PAIStrike is called, instead of an entry of a store.",
	}}
}

func tls() []Input {
	return []Input{
		{
			Name: "vault_ca_cert", Value: "PEM", Env: "VAULT_CACERT",
			Help: "Authority that signed Vault's certificate, in addition to the system's: PEM, base64 of PEM, or the path of a file.",
		},
		{Name: "vault_client_cert", Value: "PEM", Help: "Client certificate for Vault: PEM, base64 of PEM, or the path of a file."},
		{Name: "vault_client_key", Secret: true, Help: "Key of the client certificate, in the same forms."},
		{Name: "vault_tls_server_name", Value: "NAME", Help: "Name that Vault's certificate must carry, if it is not that of the address."},
		{
			Name: "vault_headers", Secret: true,
			Help:     "Headers for Vault, one `Name: value` per line, for a proxy that asks for them. Values of 8 characters or more are masked.",
			Terminal: "Headers for Vault, one `Name: value` per line, for a proxy that asks for them.",
		},
	}
}

// entry is where the token, or the management token, is kept.
func entry() []Input {
	return []Input{
		{Name: "vault_mount", Default: "secret", Value: "PATH", Help: "KV v2 engine that holds the entry."},
		{
			Name: "vault_path", Required: true, Value: "PATH",
			Help:     "Path of the entry: that of the management token for `mint`, of the provisioned token for `read`.",
			Terminal: "Path of the entry with the management token, without `data/`.",
		},
		{Name: "vault_key", Default: "token", Value: "FIELD", Help: "Field of the entry that holds the token."},
	}
}

func variable() []Input {
	return []Input{{
		Name: "env_name", Default: "PAISTRIKE_API_TOKEN", Value: "NAME",
		Help: "Environment variable for the steps that follow.", Terminal: "Environment variable for the command.",
	}}
}

func verify() []Input {
	return []Input{{Name: "verify", Default: "true", Bool: true, Help: "Whether to try the token on PAIStrike before it is handed over."}}
}

// handover is how a job gets the token.
func handover() []Input {
	return join(variable(), []Input{
		{Name: "export_env", Default: "true", Bool: true, Help: "Whether to set that variable. `false` leaves the token to the output, for the `env` of single steps."},
		{Name: "revoke", Default: "true", Bool: true, Help: "Mint: whether to revoke the token when the job ends."},
		{Name: "on_revoke_failure", Default: "warn", Values: []string{"warn", "error"}, Help: "`warn` or `error`: whether a token that cannot be revoked makes the job fail."},
		{
			Name: "on_untrusted", Default: "error", Values: []string{"error", "skip"},
			Help: "`error` or `skip`: what to do in a run of a fork or of Dependabot, which gets no identity token. With `skip` the output `skipped` is `true`.",
		},
		{Name: "min_remaining", Default: "15m", Value: "DURATION", Help: "Read: how long the token must still live; `0` for any time."},
	}, verify())
}

func dryRun() []Input {
	return []Input{{Name: "dry_run", Default: "false", Bool: true, Help: "`true` reports what a run would do, and writes nothing."}}
}

func rotation() []Input {
	return join(dryRun(), []Input{
		{Name: "force", Default: "false", Bool: true, Help: "`true` replaces every token, due or not, such as after an incident."},
		{Name: "revoke_previous", Default: "false", Bool: true, Help: "`true` revokes the replaced tokens as soon as the new ones are stored, without overlap, for an incident. It needs `force`."},
		{Name: "adopt", Default: "false", Bool: true, Help: "`true` keeps tokens that are in use and that this store never published for an overlap and then revokes them, for a store that was restored."},
		{Name: "only_due", Default: "false", Bool: true, Help: "`true` leaves out of table and report the entries that need nothing."},
		{Name: "shard", Value: "K/N", Help: "Part `K` of `N` of the entries, such as `3/10`, so that `N` runs share a folder. An entry is always in the same part."},
	})
}

// limits are what an audit reports.
func limits() []Input {
	return []Input{
		{Name: "unused_after", Default: "30d", Value: "DURATION", Help: "A token that nobody used for this long is a finding."},
		{Name: "max_expires_in", Default: "90d", Value: "DURATION", Help: "A token that lives longer than this is a finding."},
		{Name: "warn_before", Default: "14d", Value: "DURATION", Help: "A token that expires sooner than this is a finding, if no schedule replaces it."},
		{Name: "job_time", Default: "6h", Value: "DURATION", Help: "A token that was made for a job, or for a run of Terraform, this long ago is a finding, because that must have ended."},
		{Name: "sweep", Default: "false", Bool: true, Help: "`true` revokes orphans, by the rule of the rotation protocol alone."},
	}
}

// notices are who else is told what an audit found.
func notices() []Input {
	return []Input{
		{Name: "sarif_file", Value: "FILE", Help: "File for the findings as SARIF 2.1.0, such as for GitHub code scanning."},
		{Name: "metrics_file", Value: "FILE", Help: "File for metrics in the OpenMetrics format, such as for the textfile collector of Prometheus' node exporter."},
		{Name: "webhook_url", Secret: true, Help: "Address to which the report is posted as JSON."},
		{Name: "issues_repository", Value: "OWNER/NAME", Help: "Repository with one issue for each kind of finding, which a run opens, updates and closes."},
		{Name: "issues_service", Default: "github", Values: []string{"github", "gitlab"}, Help: "`github` or `gitlab`: whose API keeps the issues."},
		{Name: "issues_api", Value: "URL", Help: "Address of that API; that of github.com or gitlab.com by default."},
		{Name: "issues_token", Secret: true, Help: "Token that may write issues in that repository."},
	}
}

func walk() []Input {
	return []Input{
		{
			Name: "allow_empty", Default: "false", Bool: true,
			Help: "`true` lets a run succeed that finds no entry. Otherwise it fails, because a misspelt folder looks like an empty one.",
		},
		{Name: "concurrency", Default: "4", Value: "N", Help: "How many entries are worked on at once, 1 to 32."},
	}
}

// fail is what fails a run beside errors of its own.
func fail(values ...string) []Input {
	help := "`error`, `warning` or `none`: the severity of a finding that fails the step."
	terminal := "`error`, `warning` or `none`: the severity of a finding that ends the command with code 3."
	if len(values) == 2 {
		help = "`error` or `overdue`: whether a token that is still overdue afterwards fails the step, in addition to entries that failed."
		terminal = "`error` or `overdue`: whether a token that is still overdue afterwards ends the command with code 3."
	}
	return []Input{{Name: "fail_on", Default: "error", Values: values, Help: help, Terminal: terminal}}
}

// run is how a step of a workflow goes.
func run(timeout string) []Input {
	return join([]Input{{Name: "summary", Default: "true", Bool: true, GitHub: true, Help: "Whether to write a table to the job's summary."}}, budget(timeout))
}

func budget(timeout string) []Input {
	return []Input{
		{Name: "timeout", Default: timeout, Value: "DURATION", Help: "How long the whole step may take.", Terminal: "How long the whole run may take."},
		{Name: "max_attempts", Default: "5", Value: "N", Help: "How often a call is tried that fails for a reason that may pass, 1 to 20."},
	}
}

// launcher is how the program itself gets onto the runner.
func launcher() []Input {
	return []Input{
		{Name: "binary_path", Launcher: true, Help: "Program to run instead of downloading it, for runners without access to github.com. Its checksum is still verified."},
		{Name: "binary_mirror", Launcher: true, Help: "Address to download the program from instead of github.com's releases. Its checksum is still verified."},
	}
}
