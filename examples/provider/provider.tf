terraform {
  required_providers {
    paistrike = {
      source  = "paistrike/paistrike"
      version = "~> 0.1"
    }
  }
}

# The provider reads the management token from PAISTRIKE_API_TOKEN and the Vault
# token from VAULT_TOKEN, so neither is in the configuration.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address = "https://vault.example.com:8200"
  }

  # Optional limits for all tokens, enforced when Terraform plans.
  token_policy = {
    max_expires_in = "90d"
    allow_never    = false
    warn_before    = "14d"
  }
}
