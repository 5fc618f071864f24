mock_provider "paistrike" {
  mock_resource "paistrike_api_token" {
    defaults = {
      status     = "active"
      rotate_at  = "2027-01-31T00:00:00Z"
      expires_at = "2027-04-01T00:00:00Z"
    }
  }
}

run "rotates_every_month" {
  assert {
    condition     = paistrike_api_token.ci.expires_in == "90d" && paistrike_api_token.ci.rotation.period == "30d"
    error_message = "The token lives for 90 days and is replaced every 30."
  }
  assert {
    condition     = paistrike_api_token.ci.vault.path == "ci/paistrike"
    error_message = "The pipeline reads secret/ci/paistrike."
  }
  assert {
    condition     = timecmp(output.next_rotation, paistrike_api_token.ci.expires_at) < 0
    error_message = "The token is replaced before it expires."
  }
}

run "an_incident_rotates_now" {
  variables {
    incident = "leak-2026-11"
  }
  assert {
    condition     = paistrike_api_token.ci.rotation.triggers.incident == "leak-2026-11"
    error_message = "The variable is not a trigger."
  }
}
