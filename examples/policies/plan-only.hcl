# For terraform plan, in a pull request for instance: see what is due. No secret
# can be read, and nothing can be written.
path "secret/metadata/ci/*" {
  capabilities = ["read"]
}
