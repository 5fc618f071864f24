# What must restart to fetch a new secret watches secret_version: it grows with every
# rotation and says nothing of the secret. A *_wo_version argument takes it as well.
resource "paistrike_api_token" "scanner" {
  name       = "Nightly Scan"
  expires_in = "60d"
  rotation   = { period = "20d" }
  vault      = { mount = "secret", path = "ci/scanner", key = "PAISTRIKE_API_TOKEN" }
}

resource "terraform_data" "restart_scanner" {
  triggers_replace = paistrike_api_token.scanner.secret_version
}
