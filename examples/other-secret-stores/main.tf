# Copies the secret for a consumer that cannot read Vault. Terraform reads it as an
# ephemeral value and writes it to a write-only argument, so neither state nor plan
# contains it (Terraform 1.11). A new secret_version makes Terraform write it again.
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

  # Any value is accepted. This one makes the read wait for the rotation.
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
