# A token that ends on a day, for example with a project, and is not rotated.
resource "paistrike_api_token" "contractor" {
  name       = "Contractor"
  expires_at = "2027-01-31" # 00:00 UTC
  vault      = { mount = "secret", path = "ci/contractor" }
}
