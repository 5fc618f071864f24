# The roles of the four parties, with the policies beside this file. Replace the
# region, the account and the names in them by your own.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# Who runs terraform apply.
resource "aws_iam_policy" "provisioner" {
  name   = "paistrike-provisioner"
  policy = file("${path.module}/provisioner.json")
}

# One integration: attach it to the role that the integration runs with.
resource "aws_iam_policy" "consumer" {
  name   = "paistrike-consumer"
  policy = file("${path.module}/consumer.json")
}

# The scheduled workflows, which log in with GitHub's OIDC token.
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
