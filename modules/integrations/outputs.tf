output "tokens" {
  description = "For each integration: where its secret is, and which token it is. No secret."
  value = {
    for key, token in paistrike_api_token.this : key => {
      name           = token.name
      token_id       = token.token_id
      expires_at     = token.expires_at
      rotate_at      = token.rotate_at
      status         = token.status
      secret_version = token.secret_version
      mount          = token.vault.mount
      path           = token.vault.path
      key            = token.vault.key
    }
  }
}

output "secret_versions" {
  description = "For each integration, a number that grows with every rotation: for triggers, and for arguments that end in `_wo_version`."
  value       = { for key, token in paistrike_api_token.this : key => token.secret_version }
}

output "consumer_policies" {
  description = "For each integration, a Vault policy that allows to read its secret and nothing else."
  value = {
    for key, token in paistrike_api_token.this : key => <<-EOT
      path "${token.vault.mount}/data/${token.vault.path}" {
        capabilities = ["read"]
      }
    EOT
  }
}
