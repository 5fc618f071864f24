import {
  to = paistrike_api_token.ci
  id = "tok_8fK2mQ4xW7ZbN1cR5tYp"
}
