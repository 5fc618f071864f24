# Each plan and each apply gets its own token, which is revoked when the run ends.
ephemeral "paistrike_api_token" "audit" {
  name       = "Terraform audit"
  expires_in = "15m" # what ends it if the run is killed
}

# Pass it to another provider, to a provisioner or, as here, to a second
# configuration of this provider.
provider "paistrike" {
  alias     = "audit"
  endpoint  = "https://paistrike.example.com"
  api_token = ephemeral.paistrike_api_token.audit.token
}

data "paistrike_api_tokens" "idle" {
  provider   = paistrike.audit
  unused_for = "30d"
}

output "idle" {
  value = { for t in data.paistrike_api_tokens.idle.tokens : t.id => t.name }
}
