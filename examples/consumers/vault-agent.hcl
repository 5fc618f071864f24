# Vault Agent on the machine of the consumer. It rewrites the token after each rotation,
# within static_secret_render_interval, and notifies the service.
vault {
  address = "https://vault.example.com:8200"
}

auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/etc/vault-agent/role-id"
      secret_id_file_path                 = "/etc/vault-agent/secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
}

template_config {
  static_secret_render_interval = "5m"
  exit_on_retry_failure         = true
}

template {
  destination          = "/run/paistrike/token"
  perms                = "0400"
  error_on_missing_key = true
  contents             = "{{ with secret \"secret/data/ci/paistrike\" }}{{ .Data.data.token }}{{ end }}"

  exec {
    command = ["systemctl", "try-reload-or-restart", "scanner.service"]
  }
}
