# A token has leaked and must end now:
#
#   terraform apply -invoke=action.paistrike_revoke_api_token.leaked
#
# Where Terraform manages it, run terraform apply once more: it puts a new one into
# Vault.
action "paistrike_revoke_api_token" "leaked" {
  config {
    token_id = "tok_8fK2mQ4xW7ZbN1cR5tYp"
    reason   = "found in a build log, incident 4711"
  }
}
