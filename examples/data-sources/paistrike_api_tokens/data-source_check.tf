# An audit in every plan and apply. A check only warns, and never stops a run. This one
# warns if a token was created manually and never expires.
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
