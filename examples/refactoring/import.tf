# Fills the resource from the metadata of the entry. No secret is read.
import {
  to = paistrike_api_token.ci
  id = "vault/secret/ci/paistrike"
}
