terraform {
  required_providers {
    paistrike = {
      source  = "paistrike/paistrike"
      version = "~> 0.1"
    }
  }
}

# Addresses and credentials come from the environment.
provider "paistrike" {
  token_policy = {
    max_expires_in = "90d"
    allow_never    = false
  }
}

module "integrations" {
  source = "github.com/paistrike/terraform-provider-paistrike//modules/integrations?ref=v0.1.0"

  integrations = yamldecode(file("${path.module}/integrations.yaml"))
  path_prefix  = "ci"
  defaults     = { expires_in = "90d", period = "30d", overlap = "24h" }
}

# A consumer that must restart to fetch a new secret watches the version of its token.
resource "terraform_data" "restart_nightly_scan" {
  triggers_replace = module.integrations.secret_versions["nightly-scan"]
}

output "tokens" {
  value = module.integrations.tokens
}
