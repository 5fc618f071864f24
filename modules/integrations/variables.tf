variable "integrations" {
  description = "One entry for each integration. The key names it in Terraform and, unless `path` is set, in Vault; to change it, write a `moved` block. Attributes that are null use `defaults`."
  type = map(object({
    name                = optional(string) # in PAIStrike; the key if null
    path                = optional(string) # in Vault, below path_prefix; the key if null
    key                 = optional(string) # field of the secret that contains the token
    expires_in          = optional(string)
    period              = optional(string)
    schedule            = optional(string) # instead of period
    timezone            = optional(string)
    window              = optional(string)
    before_expiry       = optional(string)
    overlap             = optional(string)
    triggers            = optional(map(string), {})
    on_destroy          = optional(string)
    deletion_protection = optional(bool)
  }))

  validation {
    condition     = alltrue([for i in values(var.integrations) : i.period == null || i.schedule == null])
    error_message = "An integration has either a period or a schedule."
  }
  validation {
    condition     = length(distinct([for key, i in var.integrations : coalesce(i.path, key)])) == length(var.integrations)
    error_message = "Two integrations have the same path. Each needs an entry of its own."
  }
  validation {
    condition     = length(distinct([for key, i in var.integrations : coalesce(i.name, key)])) == length(var.integrations)
    error_message = "Two integrations have the same name. Give each a name by which it is told from the others in PAIStrike."
  }
}

variable "defaults" {
  description = "Settings of integrations that do not set their own."
  type = object({
    expires_in          = optional(string, "90d")
    period              = optional(string, "30d")
    overlap             = optional(string, "24h")
    key                 = optional(string, "token")
    on_destroy          = optional(string, "delete")
    deletion_protection = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "mount" {
  description = "Mount of the KV version 2 engine."
  type        = string
  default     = "secret"
}

variable "path_prefix" {
  description = "Folder of the entries below the mount. Policies, scheduled rotation and audit name this folder."
  type        = string
  default     = "paistrike"
}

variable "namespace" {
  description = "Vault namespace, if it is not the provider's."
  type        = string
  default     = null
}

variable "triggers" {
  description = "Any change rotates every token in the next apply, each with its overlap."
  type        = map(string)
  default     = {}
}

variable "revoke_previous" {
  description = "For an incident: any new value replaces every token and revokes the old ones in the same apply."
  type        = string
  default     = null
}
