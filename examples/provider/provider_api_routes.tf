# A PAIStrike whose API uses different paths and names than the provider expects.
provider "paistrike" {
  endpoint   = "https://paistrike.example.com"
  api_prefix = "/platform/rest/v3"
  headers    = { X-Organization = "42" }
  auth       = { scheme = "token" } # Authorization: token …

  api_routes = {
    collection     = "/credentials/?version=2026-01" # GET lists; the query is always sent
    create_path    = "/users/me/credentials/"        # POST creates
    self           = "-"                             # a token cannot ask about itself
    list_only      = true                            # a token cannot be read by its id
    revoke_method  = "POST"
    revoke_path    = "/credentials/{id}/revoke/"
    create_body    = jsonencode({ label = "{name}", valid_until = "{expires}", scopes = ["scan"] })
    expires_format = "date"

    list   = { page = "page", size = "per_page", total = "meta.total" }
    answer = { name = "label", last_used_at = "-" } # the service does not tell the last use
  }
}
