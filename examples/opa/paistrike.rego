# Rules for the PAIStrike tokens of a Terraform plan. A message in deny rejects the plan; a
# message in review requires a second person. A value that is unknown until the apply is a violation.
package paistrike

limits := data.limits

# The tokens that exist after the apply.
tokens contains token if {
	some token in changes
	token.change.after != null
}

changes contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	change.type == "paistrike_api_token"
}

deny contains message if {
	some token in tokens
	not expires_in_time(token.change.after)
	message := sprintf("%s does not expire within %s", [token.address, limits.expires_in])
}

deny contains message if {
	some token in tokens
	not is_replaced(token.change.after)
	message := sprintf("%s has neither a rotation nor a fixed end", [token.address])
}

deny contains message if {
	some token in tokens
	not overlap_fits(token.change.after)
	message := sprintf("%s keeps a replaced token alive for more than %s", [token.address, limits.overlap])
}

deny contains message if {
	some token in tokens
	not in_a_folder(token.change.after)
	message := sprintf("%s is outside of %s", [token.address, concat(", ", limits.folders)])
}

deny contains message if {
	limits.production
	some token in tokens
	not is_protected(token.change.after)
	message := sprintf("%s is in production and needs deletion_protection = true", [token.address])
}

deny contains message if {
	limits.production
	some token in tokens
	not can_be_restored(token.change.after)
	message := sprintf("%s is in production and needs on_destroy = \"delete\"", [token.address])
}

# Someone acted outside Terraform: find out who before the token is replaced.
review contains message if {
	some token in tokens
	token.change.after_unknown.token_id
	token.change.after.rotation_reason in {"revoked", "not_found", "secret_missing", "secret_deleted", "secret_changed", "secret_moved"}
	message := sprintf("%s is replaced because of %s", [token.address, token.change.after.rotation_reason])
}

# Consumers of a destroyed token get 401 immediately.
review contains message if {
	some change in changes
	"delete" in change.change.actions
	message := sprintf("%s is destroyed", [change.address])
}

expires_in_time(token) if seconds(token.expires_in) <= seconds(limits.expires_in)

expires_in_time(token) if {
	token.expires_in == null
	remaining := time.parse_rfc3339_ns(instant(token.expires_at)) - time.parse_rfc3339_ns(input.timestamp)
	remaining <= seconds(limits.expires_in) * 1000000000
}

is_replaced(token) if token.rotation.period != null

is_replaced(token) if token.rotation.schedule != null

is_replaced(token) if token.expires_in == null

# A plan shows the overlap in effect, whether it is configured or a default.
overlap_fits(token) if seconds(token.rotation.overlap) <= seconds(limits.overlap)

# Without a rotation block, it is 24h, or less for a token with a lifetime of less than 72h.
overlap_fits(token) if {
	token.rotation == null
	seconds("24h") <= seconds(limits.overlap)
}

in_a_folder(token) if {
	some folder in limits.folders
	startswith(place(token), folder)
}

is_protected(token) if token.deletion_protection == true

# An accidental destroy must be reversible: "purge" leaves nothing, and "keep" leaves old secrets.
can_be_restored(token) if store(token).on_destroy == "delete"

# The location of a token, in the format of terraform import ids. A Vault namespace, or an AWS
# region that differs from the provider's, comes first.
place(token) := concat("/", array.concat(["vault"], array.concat(given(token.vault.namespace), [token.vault.mount, token.vault.path])))

place(token) := concat("/", array.concat(["aws"], array.concat(given(token.aws_secrets_manager.region), [token.aws_secrets_manager.name])))

given(value) := [] if value == null

given(value) := [value] if value != null

store(token) := token.vault if token.vault != null

store(token) := token.aws_secrets_manager if token.aws_secrets_manager != null

# A date alone is 00:00 UTC.
instant(text) := sprintf("%sT00:00:00Z", [text]) if regex.match(`^\d{4}-\d{2}-\d{2}$`, text)

instant(text) := text if contains(text, "T")

# Durations of the provider: whole days, hours, minutes and seconds, such as 90d or 1d12h.
# Others, and "never", are undefined.
seconds(text) := sum(parts) if {
	regex.match(`^(\d+[dhms])+$`, text)
	parts := [part |
		some found in regex.find_all_string_submatch_n(`(\d+)([dhms])`, text, -1)
		part := to_number(found[1]) * unit[found[2]]
	]
}

unit := {"d": 86400, "h": 3600, "m": 60, "s": 1}
