# Rotated on Mondays at 03:17 UTC or in the 24 hours after it, whenever Terraform
# runs. If no run comes in time, before_expiry rotates outside of the window too.
resource "paistrike_api_token" "reporting" {
  name       = "Reporting"
  expires_in = "30d"

  rotation = {
    schedule      = "17 3 * * 1"
    window        = "24h"
    before_expiry = "10d"
    overlap       = "48h"
  }

  vault = {
    mount = "secret"
    path  = "ci/reporting"
  }
}
