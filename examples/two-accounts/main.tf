terraform {
  required_providers {
    paistrike = {
      source  = "paistrike/paistrike"
      version = "~> 0.1"
    }
  }
}

# Ephemeral variables are never saved in a plan or a state (Terraform 1.10, OpenTofu 1.11).
variable "production_token" {
  type      = string
  ephemeral = true
}

variable "staging_token" {
  type      = string
  ephemeral = true
}

provider "paistrike" {
  alias     = "production"
  endpoint  = "https://paistrike.example.com"
  api_token = var.production_token
  vault     = { address = "https://vault.example.com:8200" }
}

provider "paistrike" {
  alias     = "staging"
  endpoint  = "https://paistrike.staging.example.com"
  api_token = var.staging_token
  vault     = { address = "https://vault.example.com:8200" }
}

resource "paistrike_api_token" "production" {
  provider   = paistrike.production
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d" }
  vault      = { mount = "secret", path = "production/paistrike" }
}

resource "paistrike_api_token" "staging" {
  provider   = paistrike.staging
  name       = "CI/CD Pipeline"
  expires_in = "30d"
  rotation   = { period = "7d" }
  vault      = { mount = "secret", path = "staging/paistrike" }
}
