# For the scheduled rotation: replace the tokens below ci/, wherever their schedule
# says so. It can destroy none.

# Write the next version, and read what the last one says of its token.
path "secret/data/ci/*" {
  capabilities = ["create", "read", "update"]
}

# Find the entries, read their schedule, and write when the next rotation is due.
path "secret/metadata/ci/*" {
  capabilities = ["list", "read", "patch"]
}

# Notice a mount that would delete a secret while it is in use.
path "secret/config" {
  capabilities = ["read"]
}

# The management token, with which PAIStrike is called.
path "secret/data/broker/paistrike" {
  capabilities = ["read"]
}
