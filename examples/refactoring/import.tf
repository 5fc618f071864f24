# Fills the resource from the entry's metadata, without reading the secret.
import {
  to = paistrike_api_token.ci
  id = "vault/secret/ci/paistrike"
}
