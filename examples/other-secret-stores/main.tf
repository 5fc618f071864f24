# A consumer that cannot read Vault gets a copy. The secret is read as an ephemeral
# value and written to a write-only argument, so that neither state nor plan holds it
# (Terraform 1.11). secret_version makes Terraform write it anew after each rotation.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws       = { source = "hashicorp/aws", version = "~> 6.0" }
    paistrike = { source = "paistrike/paistrike", version = "~> 0.1" }
    vault     = { source = "hashicorp/vault", version = "~> 5.0" }
  }
}

resource "paistrike_api_token" "scanner" {
  name       = "Nightly Scan"
  expires_in = "60d"
  rotation   = { period = "20d", overlap = "48h" }
  vault      = { mount = "secret", path = "ci/scanner" }
}

ephemeral "vault_kv_secret_v2" "scanner" {
  mount = paistrike_api_token.scanner.vault.mount
  name  = paistrike_api_token.scanner.vault.path

  # Any value will do; one that is known after a rotation lets the read wait for it.
  mount_id = paistrike_api_token.scanner.secret_version
}

resource "aws_secretsmanager_secret" "scanner" {
  name = "ci/scanner"
}

resource "aws_secretsmanager_secret_version" "scanner" {
  secret_id                = aws_secretsmanager_secret.scanner.id
  secret_string_wo         = ephemeral.vault_kv_secret_v2.scanner.data["token"]
  secret_string_wo_version = paistrike_api_token.scanner.secret_version
}
