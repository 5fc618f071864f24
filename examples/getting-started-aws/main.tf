terraform {
  required_providers {
    paistrike = {
      source  = "paistrike/paistrike"
      version = "~> 0.1"
    }
  }
}

# Addresses and credentials come from the environment: PAISTRIKE_ENDPOINT,
# PAISTRIKE_API_TOKEN, and the variables that every AWS tool reads.
provider "paistrike" {}

variable "incident" {
  description = "Any change replaces the token at once."
  default     = "none"
}

resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"

  rotation = {
    period   = "30d"
    overlap  = "24h"
    triggers = { incident = var.incident }
  }

  aws_secrets_manager = {
    name            = "ci/paistrike"
    recovery_window = "7d"
  }
}

output "next_rotation" {
  value = paistrike_api_token.ci.rotate_at
}
