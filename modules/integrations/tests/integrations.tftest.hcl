# Runs without servers and without credentials: terraform test (1.7 or newer).
mock_provider "paistrike" {}

variables {
  path_prefix = "ci"
  integrations = {
    pipeline = { name = "CI/CD Pipeline" }
    scanner  = { schedule = "17 3 * * 1", expires_in = "30d", overlap = "48h", path = "scan/nightly", key = "PAISTRIKE_API_TOKEN" }
  }
}

run "defaults" {
  command = plan

  assert {
    condition     = paistrike_api_token.this["pipeline"].name == "CI/CD Pipeline" && paistrike_api_token.this["scanner"].name == "scanner"
    error_message = "A name is not the integration's, or not its key."
  }
  assert {
    condition     = paistrike_api_token.this["pipeline"].expires_in == "90d" && paistrike_api_token.this["pipeline"].rotation.period == "30d"
    error_message = "The defaults do not hold."
  }
  assert {
    condition     = paistrike_api_token.this["scanner"].rotation.period == null && paistrike_api_token.this["scanner"].rotation.schedule == "17 3 * * 1"
    error_message = "A schedule does not take the place of the period."
  }
  assert {
    condition     = paistrike_api_token.this["pipeline"].vault.path == "ci/pipeline" && paistrike_api_token.this["scanner"].vault.path == "ci/scan/nightly"
    error_message = "A secret is not below the folder."
  }
}

run "policies" {
  command = plan

  assert {
    condition     = strcontains(output.consumer_policies["scanner"], "path \"secret/data/ci/scan/nightly\"")
    error_message = "A consumer's policy does not name its entry."
  }
}

run "incident" {
  command = plan
  variables {
    triggers        = { incident = "leak" }
    revoke_previous = "leak"
  }

  assert {
    condition     = alltrue([for token in paistrike_api_token.this : token.rotation.triggers.incident == "leak" && token.rotation.revoke_previous == "leak"])
    error_message = "An incident does not reach every token."
  }
}

run "one_entry_each" {
  command = plan
  variables {
    integrations = {
      a = { name = "A", path = "same" }
      b = { name = "B", path = "same" }
    }
  }
  expect_failures = [var.integrations]
}

run "period_or_schedule" {
  command = plan
  variables {
    integrations = { a = { period = "30d", schedule = "17 3 * * 1" } }
  }
  expect_failures = [var.integrations]
}
