# Rotates in the first run on Mondays between 03:17 UTC and 24 hours later. If there is no
# run in time, before_expiry also rotates outside the window.
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
