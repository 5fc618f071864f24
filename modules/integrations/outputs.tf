output "tokens" {
  description = "For each integration: the location of its secret, and the details of its token. No secret."
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
  description = "For each integration, a number that increases with every rotation. Use it in triggers and in arguments that end in `_wo_version`."
  value       = { for key, token in paistrike_api_token.this : key => token.secret_version }
}

output "consumer_policies" {
  description = "For each integration, a Vault policy that allows reading its secret and nothing else."
  value = {
    for key, token in paistrike_api_token.this : key => <<-EOT
      path "${token.vault.mount}/data/${token.vault.path}" {
        capabilities = ["read"]
      }
    EOT
  }
}
