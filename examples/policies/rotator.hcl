# For the scheduled rotation: replace the tokens below ci/ that are due. This policy
# cannot delete anything, but many writes remove old versions, because Vault keeps a
# limited number. If you need them, raise max_versions.

# Write the next version, and read the record in the current one.
path "secret/data/ci/*" {
  capabilities = ["create", "read", "update"]
}

# Find the entries, read their schedule, and write when the next rotation is due. The
# policy does not allow changes to settings that delete versions, such as max_versions.
path "secret/metadata/ci/*" {
  capabilities       = ["list", "read", "patch"]
  allowed_parameters = { "custom_metadata" = [] }
}

# Detect a mount that would delete a secret while it is in use.
path "secret/config" {
  capabilities = ["read"]
}

# Read the management token for calls to PAIStrike.
path "secret/data/broker/paistrike" {
  capabilities = ["read"]
}
