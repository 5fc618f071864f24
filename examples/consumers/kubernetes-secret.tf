# A Kubernetes secret that Terraform writes. The token is neither in the state nor in a plan
# (Terraform 1.11 or OpenTofu 1.11). Terraform rewrites it after each rotation.
terraform {
  required_version = ">= 1.11"

  required_providers {
    kubernetes = { source = "hashicorp/kubernetes", version = "~> 3.0" }
    paistrike  = { source = "paistrike/paistrike", version = "~> 0.1" }
    vault      = { source = "hashicorp/vault", version = "~> 5.0" }
  }
}

resource "paistrike_api_token" "scanner" {
  name       = "Nightly Scan"
  expires_in = "60d"
  rotation   = { period = "20d", overlap = "48h" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}

ephemeral "vault_kv_secret_v2" "scanner" {
  mount    = paistrike_api_token.scanner.vault.mount
  name     = paistrike_api_token.scanner.vault.path
  mount_id = paistrike_api_token.scanner.secret_version # waits for a rotation
}

resource "kubernetes_secret_v1" "scanner" {
  metadata {
    name = "paistrike"
  }

  data_wo          = { PAISTRIKE_API_TOKEN = ephemeral.vault_kv_secret_v2.scanner.data["token"] }
  data_wo_revision = paistrike_api_token.scanner.secret_version
}
