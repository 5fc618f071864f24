terraform {
  required_providers {
    paistrike = { source = "paistrike/paistrike", version = "~> 0.1" }
  }
}

# Endpoint, management token and store come from the environment:
# PAISTRIKE_ENDPOINT, PAISTRIKE_API_TOKEN, VAULT_ADDR, VAULT_TOKEN. For AWS, set
# aws_secrets_manager = { name = "ci/paistrike" } instead of vault.
provider "paistrike" {}

# One token per integration, each with an expiry.
resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}

resource "paistrike_api_token" "script" {
  name       = "Automation Script"
  expires_in = "90d"
  rotation   = { period = "60d", overlap = "24h" }
  vault      = { mount = "secret", path = "automation/paistrike" }
}

resource "paistrike_api_token" "zapier" {
  name       = "Zapier Integration"
  expires_in = "90d"
  rotation   = { schedule = "17 3 1 * *", overlap = "48h", before_expiry = "14d" }
  vault      = { mount = "secret", path = "zapier/paistrike" }
}

# A consumer that copies the secret elsewhere watches this number. It increases with
# every rotation, and reveals nothing about the secret.
output "ci_secret_version" {
  value = paistrike_api_token.ci.secret_version
}
