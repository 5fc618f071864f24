# The token at secret/ci/paistrike has leaked, so replace it now:
#
#   terraform apply -invoke=action.paistrike_rotate_api_token.leaked
#
# The new token is in Vault before the old one is revoked. Without revoke_previous, the
# old one keeps its overlap.
action "paistrike_rotate_api_token" "leaked" {
  config {
    vault           = { mount = "secret", path = "ci/paistrike" }
    revoke_previous = true
  }
}
