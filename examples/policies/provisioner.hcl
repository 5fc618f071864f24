# For whoever runs terraform apply: provision, rotate and destroy the tokens below
# ci/. Nothing else in Vault can be read or changed with it.

# Write the next version, and read what the last one says of its token.
path "secret/data/ci/*" {
  capabilities = ["create", "read", "update"]
}

# Versions and schedule, and what plans and schedulers are told. Settings such as
# max_versions, which would end versions, cannot be changed.
path "secret/metadata/ci/*" {
  capabilities       = ["read", "patch"]
  allowed_parameters = { "custom_metadata" = [] }
}

# Hide the versions of a token that was destroyed.
path "secret/delete/ci/*" {
  capabilities = ["update"]
}

# Notice a mount that would delete a secret while it is in use.
path "secret/config" {
  capabilities = ["read"]
}
