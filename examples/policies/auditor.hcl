# For the audit: read custom metadata below ci/, but no secrets.
path "secret/metadata/ci/*" {
  capabilities = ["list", "read"]
}

# Read the management token to list the tokens in PAIStrike.
path "secret/data/broker/paistrike" {
  capabilities = ["read"]
}
