# A PAIStrike whose API has other paths and names than the provider expects.
provider "paistrike" {
  endpoint   = "https://paistrike.example.com"
  api_prefix = "/platform/rest/v3"
  headers    = { X-Organization = "42" }

  api_routes = {
    collection     = "/credentials/" # GET lists, POST creates; the last slash is sent too
    self           = "-"             # a token cannot ask about itself
    list_only      = true            # a token cannot be read by its id
    revoke_method  = "POST"
    revoke_path    = "/credentials/{id}/revoke/"
    name_field     = "label"
    expires_field  = "expiry"
    expires_format = "date"
  }
}
