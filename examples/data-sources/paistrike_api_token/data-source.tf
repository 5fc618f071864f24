# A token that was made by hand, by its name: when was it last used?
data "paistrike_api_token" "zapier" {
  name = "Zapier Integration"
}

output "zapier_last_used" {
  value = data.paistrike_api_token.zapier.last_used_at # empty: never
}
