# One token for one integration. Its secret is only in Vault, at secret/ci/paistrike in
# the field "token".
resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"

  rotation = {
    period  = "30d"
    overlap = "24h" # the old token works this long after the new one is in Vault
  }

  vault = {
    mount = "secret"
    path  = "ci/paistrike"
  }
}
