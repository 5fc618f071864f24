# For the audit: see what custom metadata says below ci/, and no secret there.
path "secret/metadata/ci/*" {
  capabilities = ["list", "read"]
}

# The management token, with which PAIStrike's list is read.
path "secret/data/broker/paistrike" {
  capabilities = ["read"]
}
