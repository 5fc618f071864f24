# The audit as a warning of every plan and apply: a check never stops a run. This one
# speaks up where a token was made by hand and never expires.
check "every_token_expires" {
  data "paistrike_api_tokens" "active" {
    status  = "active"
    managed = false
  }

  assert {
    condition = alltrue([for t in data.paistrike_api_tokens.active.tokens : t.expires_at != null])
    error_message = format("These tokens never expire: %s.", join(", ", [
      for t in data.paistrike_api_tokens.active.tokens : "${t.name} (${t.id})" if t.expires_at == null
    ]))
  }
}
