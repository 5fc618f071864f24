variable "vault_password" {
  type      = string
  sensitive = true
  ephemeral = true # Terraform 1.10 or newer: kept out of saved plans
}

provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address = "https://vault.example.com:8200"

    auth_login_userpass = {
      username = "terraform"
      password = var.vault_password
    }
  }
}
