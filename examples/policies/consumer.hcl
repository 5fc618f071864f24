# For one integration: read its own token, and nothing else.
path "secret/data/ci/paistrike" {
  capabilities = ["read"]
}
