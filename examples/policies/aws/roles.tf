# Roles with the policies next to this file. Replace the region, the account and the
# names in the policies with your own.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# For runs of terraform apply.
resource "aws_iam_policy" "provisioner" {
  name   = "paistrike-provisioner"
  policy = file("${path.module}/provisioner.json")
}

# For one integration. Attach the policy to the role of the integration.
resource "aws_iam_policy" "consumer" {
  name   = "paistrike-consumer"
  policy = file("${path.module}/consumer.json")
}

# For the scheduled workflows, which log in with GitHub's OIDC token.
resource "aws_iam_role" "workflow" {
  for_each           = toset(["rotator", "auditor"])
  name               = "paistrike-${each.key}"
  assume_role_policy = file("${path.module}/github-trust.json")
  depends_on         = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "workflow" {
  for_each = aws_iam_role.workflow
  name     = "secrets"
  role     = each.value.id
  policy   = file("${path.module}/${each.key}.json")
}
