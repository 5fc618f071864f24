# A token that expires on a fixed date, for example at the end of a project, and is not rotated.
resource "paistrike_api_token" "contractor" {
  name       = "Contractor"
  expires_at = "2027-01-31" # 00:00 UTC
  vault      = { mount = "secret", path = "ci/contractor" }
}
