resource "paistrike_api_token" "this" {
  for_each = var.integrations

  name                = coalesce(each.value.name, each.key)
  expires_in          = coalesce(each.value.expires_in, var.defaults.expires_in)
  deletion_protection = coalesce(each.value.deletion_protection, var.defaults.deletion_protection)

  rotation = {
    period          = each.value.schedule == null ? coalesce(each.value.period, var.defaults.period) : null
    schedule        = each.value.schedule
    timezone        = each.value.timezone
    window          = each.value.window
    before_expiry   = each.value.before_expiry
    overlap         = coalesce(each.value.overlap, var.defaults.overlap)
    triggers        = merge(var.triggers, each.value.triggers)
    revoke_previous = var.revoke_previous
  }

  vault = {
    namespace  = var.namespace
    mount      = var.mount
    path       = "${var.path_prefix}/${coalesce(each.value.path, each.key)}"
    key        = coalesce(each.value.key, var.defaults.key)
    on_destroy = coalesce(each.value.on_destroy, var.defaults.on_destroy)
  }
}
