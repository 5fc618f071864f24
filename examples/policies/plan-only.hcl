# For terraform plan, for example in a pull request: see what is due. No secret
# can be read, and nothing can be written.
path "secret/metadata/ci/*" {
  capabilities = ["read"]
}
