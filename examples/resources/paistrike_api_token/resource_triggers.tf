# Any change of triggers rotates the token in the next apply. Here a token that
# someone revokes by hand is not replaced without a person's word.
resource "paistrike_api_token" "deploy" {
  name       = "Deploy"
  expires_in = "90d"

  rotation = {
    period     = "30d"
    triggers   = { incident = "none" }
    on_revoked = "error"
  }

  vault = {
    mount      = "secret"
    path       = "ci/deploy"
    on_destroy = "keep"
  }
}
