# Region and credentials come from the standard sources of every AWS tool, such as AWS_REGION
# and the role of the runner. The management token comes from PAISTRIKE_API_TOKEN.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"
}

resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }

  aws_secrets_manager = {
    name            = "ci/paistrike"
    recovery_window = "7d"
  }
}
