variable "vault_secret_id" {
  type      = string
  sensitive = true
  ephemeral = true # Terraform 1.10 or newer: kept out of saved plans
}

provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address = "https://vault.example.com:8200"

    auth_login_approle = {
      role_id   = "6d1c53e2-3f41-4f0a-9a3e-2b8f5f0c7d19"
      secret_id = var.vault_secret_id
    }
  }
}
