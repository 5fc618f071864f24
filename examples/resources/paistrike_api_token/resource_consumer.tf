# A consumer that must restart to fetch a new secret watches secret_version. It increases
# with every rotation and reveals nothing about the secret. You can also pass it to a
# *_wo_version argument.
resource "paistrike_api_token" "scanner" {
  name       = "Nightly Scan"
  expires_in = "60d"
  rotation   = { period = "20d" }
  vault      = { mount = "secret", path = "ci/scanner", key = "PAISTRIKE_API_TOKEN" }
}

resource "terraform_data" "restart_scanner" {
  triggers_replace = paistrike_api_token.scanner.secret_version
}
