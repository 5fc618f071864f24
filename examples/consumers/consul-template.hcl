# consul-template, with the Vault token in VAULT_TOKEN or in a Vault Agent's file. It reads the
# token again after default_lease_duration, and runs the command if the token has changed.
vault {
  address                = "https://vault.example.com:8200"
  vault_agent_token_file = "/run/vault-agent/token"
  renew_token            = false
  default_lease_duration = "5m"
}

template {
  destination          = "/run/paistrike/scanner.env"
  perms                = "0400"
  error_on_missing_key = true
  contents             = <<EOF
{{ with secret "secret/data/ci/paistrike" -}}
PAISTRIKE_API_TOKEN={{ .Data.data.token }}
{{ end -}}
EOF

  exec {
    command = ["systemctl", "try-reload-or-restart", "scanner.service"]
  }
}
