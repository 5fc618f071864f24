# A token has leaked, so revoke it now:
#
#   terraform apply -invoke=action.paistrike_revoke_api_token.leaked
#
# If Terraform manages the token, run terraform apply again. It writes a new token to
# Vault.
action "paistrike_revoke_api_token" "leaked" {
  config {
    token_id = "tok_8fK2mQ4xW7ZbN1cR5tYp"
    reason   = "found in a build log, incident 4711"
  }
}
