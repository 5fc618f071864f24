# consul-template, with the Vault token of VAULT_TOKEN or of an agent's file. It reads the
# token anew after default_lease_duration, and runs the command if it has changed.
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
