# TERRAFORM_VAULT_TOKEN_FILENAME names the file, such as the sink of a Vault Agent.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address               = "https://vault.example.com:8200"
    auth_login_token_file = {}
  }
}
