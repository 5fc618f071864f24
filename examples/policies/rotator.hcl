# For the scheduled rotation: replace the tokens below ci/, wherever their schedule
# says so. It can delete nothing, but Vault keeps only so many versions of an entry:
# who may write many can push old ones out. Raise max_versions if that matters.

# Write the next version, and read what the last one says of its token.
path "secret/data/ci/*" {
  capabilities = ["create", "read", "update"]
}

# Find the entries, read their schedule, and write when the next rotation is due.
# Settings such as max_versions, which would end versions, cannot be changed.
path "secret/metadata/ci/*" {
  capabilities       = ["list", "read", "patch"]
  allowed_parameters = { "custom_metadata" = [] }
}

# Notice a mount that would delete a secret while it is in use.
path "secret/config" {
  capabilities = ["read"]
}

# The management token, with which PAIStrike is called.
path "secret/data/broker/paistrike" {
  capabilities = ["read"]
}
