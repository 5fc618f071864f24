terraform {
  required_version = ">= 1.5"
  required_providers {
    paistrike = {
      source  = "paistrike/paistrike"
      version = "~> 0.1"
    }
  }
}
