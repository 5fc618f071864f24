import {
  to = paistrike_api_token.ci
  identity = {
    token_id = "tok_8fK2mQ4xW7ZbN1cR5tYp"
  }
}
