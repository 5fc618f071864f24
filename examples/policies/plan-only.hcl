# For terraform plan, for example in a pull request: show what is due. This policy
# does not allow reading secrets or writing anything.
path "secret/metadata/ci/*" {
  capabilities = ["read"]
}
