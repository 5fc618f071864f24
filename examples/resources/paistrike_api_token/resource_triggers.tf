# Any change of triggers rotates the token in the next apply. If someone revokes this
# token manually, it is not replaced automatically.
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
