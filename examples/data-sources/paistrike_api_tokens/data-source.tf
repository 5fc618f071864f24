# Typical queries of an audit. A token must match all filters of a data source.
data "paistrike_api_tokens" "idle" {
  status     = "active"
  unused_for = "30d"
}

data "paistrike_api_tokens" "expiring" {
  expires_within = "14d"
}

data "paistrike_api_tokens" "made_by_hand" {
  status  = "active"
  managed = false
}

output "audit" {
  value = {
    idle         = { for t in data.paistrike_api_tokens.idle.tokens : t.id => t.name }
    expiring     = { for t in data.paistrike_api_tokens.expiring.tokens : t.id => t.expires_in_days }
    made_by_hand = { for t in data.paistrike_api_tokens.made_by_hand.tokens : t.id => t.name }
  }
}
