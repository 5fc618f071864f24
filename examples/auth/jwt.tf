# The JWT comes from TFC_WORKLOAD_IDENTITY_TOKEN, which HCP Terraform sets, or from
# TERRAFORM_VAULT_AUTH_JWT.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address        = "https://vault.example.com:8200"
    auth_login_jwt = { role = "terraform" }
  }
}
