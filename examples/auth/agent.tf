# A Vault Agent or Vault Proxy with use_auto_auth_token listens at the address and adds its
# own Vault token. The identity is that of the Vault behind it: the host and port that
# clients use to reach it directly.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  vault = {
    address          = "http://127.0.0.1:8100"
    identity         = "vault.example.com:8200"
    auth_login_agent = {}
  }
}
