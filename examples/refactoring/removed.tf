removed {
  from = paistrike_api_token.ci

  lifecycle {
    destroy = false
  }
}
