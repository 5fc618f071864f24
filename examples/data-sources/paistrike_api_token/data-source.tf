# Shows when a manually created token, found by its name, was last used.
data "paistrike_api_token" "zapier" {
  name = "Zapier Integration"
}

output "zapier_last_used" {
  value = data.paistrike_api_token.zapier.last_used_at # empty: never
}
