package main

import (
	"strings"
)

// input is one input of the action. action.yml says the same, and a test compares
// the two.
type input struct {
	name string
	// fallback is what an empty input means.
	fallback string
	// login names the login method that takes the input; "" are all of them.
	login string
	// secret inputs are not kept for the post step.
	secret bool
	// launcher inputs are read by the launcher alone.
	launcher bool
	// yes inputs are true or false; on a command line the name alone turns one on.
	yes bool
	// noFlag inputs mean nothing on a command line.
	noFlag bool
}

// allInputs lists the inputs in the order in which they are documented.
func allInputs() []input {
	return []input{
		{name: "mode", fallback: modeMint},
		{name: "endpoint"},
		{name: "api_prefix", fallback: "/api/v1"},
		{name: "api_routes"},
		{name: "auth"},
		{name: "headers", secret: true},
		{name: "expires_in", fallback: "1h"},
		{name: "label", fallback: "gha"},
		{name: "vault_address"},
		{name: "vault_namespace"},
		{name: "vault_auth_namespace"},
		{name: "vault_auth_method", fallback: "jwt"},
		{name: "vault_auth_path"},
		{name: "vault_role", login: "jwt kubernetes"},
		{name: "audience", login: "jwt"},
		{name: "vault_role_id", login: "approle"},
		{name: "vault_secret_id", login: "approle", secret: true},
		{name: "vault_token", login: "token", secret: true},
		{name: "kubernetes_token_path", login: "kubernetes"},
		{name: "vault_mount", fallback: "secret"},
		{name: "vault_path"},
		{name: "vault_key", fallback: "token"},
		{name: "vault_ca_cert"},
		{name: "vault_client_cert"},
		{name: "vault_client_key", secret: true},
		{name: "vault_tls_server_name"},
		{name: "vault_headers", secret: true},
		{name: "env_name", fallback: "PAISTRIKE_API_TOKEN"},
		{name: "export_env", fallback: "true", yes: true},
		{name: "revoke", fallback: "true", yes: true},
		{name: "on_revoke_failure", fallback: "warn"},
		{name: "on_untrusted", fallback: "error"},
		{name: "min_remaining", fallback: "15m"},
		{name: "verify", fallback: "true", yes: true},
		{name: "summary", fallback: "true", yes: true},
		{name: "timeout", fallback: "2m"},
		{name: "max_attempts", fallback: "5"},
		{name: "binary_path", launcher: true},
		{name: "binary_mirror", launcher: true},
	}
}

// values are inputs by name, without white space at their ends.
type values map[string]string

// readInputs takes inputs from the environment, where the runner puts them.
func readInputs(inputs []input, getenv func(string) string) values {
	v := values{}
	for _, in := range inputs {
		v[in.name] = strings.TrimSpace(getenv("INPUT_" + strings.ToUpper(in.name)))
		if v[in.name] == "" {
			v[in.name] = in.fallback
		}
	}
	return v
}

// plain gives the inputs that are no secrets, for the post step: an expression in an
// input may have another value by then, and the token must go to no other server.
func (v values) plain() values {
	kept := values{}
	for _, in := range allInputs() {
		if !in.secret && !in.launcher && v[in.name] != in.fallback {
			kept[in.name] = v[in.name]
		}
	}
	return kept
}

// restore gives the inputs as they were in the main step, and the secret ones as
// they are now.
func (v values) restore(kept values) values {
	restored := values{}
	for _, in := range allInputs() {
		restored[in.name] = v[in.name]
		if !in.secret && !in.launcher {
			restored[in.name] = in.fallback
			if value, ok := kept[in.name]; ok {
				restored[in.name] = value
			}
		}
	}
	return restored
}
