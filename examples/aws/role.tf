# A role in another account, assumed with a web identity token instead of a key, as in hashicorp/aws.
provider "paistrike" {
  endpoint = "https://paistrike.example.com"

  aws = {
    region = "eu-central-1"
    assume_role_with_web_identity = {
      role_arn                = "arn:aws:iam::123456789012:role/paistrike-provisioner"
      web_identity_token_file = "/var/run/secrets/tokens/aws"
    }
  }
}
