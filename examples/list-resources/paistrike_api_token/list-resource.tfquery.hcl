# Finds the tokens that were made by hand and still work. With
#
#   terraform query -generate-config-out=adopted.tf
#
# Terraform writes a resource and an import block for each. Look them through, set
# expires_in and rotation as you want them, then apply: each gets a new secret in
# Vault, and the token that was found works for one overlap more.
list "paistrike_api_token" "made_by_hand" {
  provider         = paistrike
  include_resource = true
  limit            = 500

  config {
    managed      = false
    status       = "active"
    name_regex   = "^(CI|Zapier)"
    vault_mount  = "secret"
    vault_folder = "ci"
  }
}
