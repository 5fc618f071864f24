# One token per integration, all with the same settings.
locals {
  integrations = {
    pipeline   = "CI/CD Pipeline"
    automation = "Automation Script"
    zapier     = "Zapier Integration"
  }
}

resource "paistrike_api_token" "integration" {
  for_each = local.integrations

  name       = each.value
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "ci/${each.key}" }
}
