# For runs of terraform apply: provision, rotate and destroy the tokens below ci/.
# This policy does not allow reading or changing anything else in Vault.

# Write the next version, and read the record in the current one.
path "secret/data/ci/*" {
  capabilities = ["create", "read", "update"]
}

# Read the versions, and write the schedule and other data for plans and schedulers. The
# policy does not allow changes to settings that delete versions, such as max_versions.
path "secret/metadata/ci/*" {
  capabilities       = ["read", "patch"]
  allowed_parameters = { "custom_metadata" = [] }
}

# Soft-delete the versions of a destroyed token.
path "secret/delete/ci/*" {
  capabilities = ["update"]
}

# Detect a mount that would delete a secret while it is in use.
path "secret/config" {
  capabilities = ["read"]
}
