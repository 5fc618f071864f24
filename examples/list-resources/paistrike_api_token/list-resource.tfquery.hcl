# Finds manually created tokens that still work. With
#
#   terraform query -generate-config-out=adopted.tf
#
# Terraform generates a resource and an import block for each. Review them, set
# expires_in and rotation, and apply. Each token gets a new secret in Vault, and the
# token that was found keeps working for one overlap.
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
