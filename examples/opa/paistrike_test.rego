package paistrike_test

import data.paistrike

# good is the output of terraform show -json for a token that every rule allows.
good := {
	"name": "CI/CD Pipeline",
	"expires_in": "90d",
	"deletion_protection": null,
	"rotation": {"period": "30d", "schedule": null, "overlap": "1d", "before_expiry": "30d", "on_revoked": "rotate"},
	"rotation_reason": "created",
	"vault": {"namespace": null, "mount": "secret", "path": "ci/paistrike", "on_destroy": "delete"},
	"aws_secrets_manager": null,
}

aws := {"vault": null, "aws_secrets_manager": {"region": null, "name": "ci/paistrike", "on_destroy": "delete"}}

# plan returns a plan that creates a token with the attributes of good, except for some.
plan(changed) := {
	"timestamp": "2026-11-02T09:00:00Z",
	"resource_changes": [{
		"address": "paistrike_api_token.ci",
		"mode": "managed",
		"type": "paistrike_api_token",
		"change": {"actions": ["create"], "after": object.union(good, changed), "after_unknown": {"token_id": true}},
	}],
}

test_good_tokens_pass if {
	every changed in [
		{},
		aws,
		{"expires_in": "2160h"},
		{"expires_in": "1d12h"},
		{"expires_in": null, "expires_at": "2027-01-31", "rotation": null},
		{"expires_in": null, "expires_at": "2027-01-31T00:00:00Z", "rotation": null},
		{"rotation": {"period": null, "schedule": "17 3 * * 1", "overlap": "48h"}},
	] {
		count(paistrike.deny) == 0 with input as plan(changed)
	}
}

test_breaches_are_denied if {
	every breach in [
		[{"expires_in": "never"}, "does not expire within 90d"],
		[{"expires_in": "91d"}, "does not expire within 90d"],
		[{"expires_in": "2160h1s"}, "does not expire within 90d"],
		[{"expires_in": null, "expires_at": "2027-01-31T09:00:01Z", "rotation": null}, "does not expire within 90d"],
		[{"expires_in": null, "rotation": null}, "does not expire within 90d"],
		[{"rotation": null}, "has neither a rotation nor a fixed end"],
		[{"rotation": {"period": null, "schedule": null}}, "has neither a rotation nor a fixed end"],
		[{"rotation": {"period": "30d", "overlap": "49h"}}, "keeps a replaced token alive for more than 48h"],
		[{"vault": {"path": "other/paistrike"}}, "is outside of vault/secret/ci/, aws/ci/"],
		[{"vault": {"mount": "kv"}}, "is outside of vault/secret/ci/, aws/ci/"],
		[{"vault": {"namespace": "other"}}, "is outside of vault/secret/ci/, aws/ci/"],
		[object.union(aws, {"aws_secrets_manager": {"name": "other/paistrike"}}), "is outside of vault/secret/ci/, aws/ci/"],
		[object.union(aws, {"aws_secrets_manager": {"region": "eu-central-1"}}), "is outside of vault/secret/ci/, aws/ci/"],
	] {
		paistrike.deny == {concat(" ", ["paistrike_api_token.ci", breach[1]])} with input as plan(breach[0])
	}
}

test_what_is_not_known_is_denied if {
	unknown := json.remove(plan({}), ["resource_changes/0/change/after/expires_in", "resource_changes/0/change/after/rotation", "resource_changes/0/change/after/vault/path"])
	count(paistrike.deny) == 4 with input as unknown
}

test_production_is_protected if {
	limits := {"expires_in": "90d", "overlap": "48h", "folders": ["vault/"], "production": true}
	paistrike.deny == {
		"paistrike_api_token.ci is in production and needs deletion_protection = true",
		"paistrike_api_token.ci is in production and needs on_destroy = \"delete\"",
	} with input as plan({"vault": {"on_destroy": "keep"}}) with data.limits as limits
	count(paistrike.deny) == 0 with input as plan({"deletion_protection": true}) with data.limits as limits
	in_aws := object.union(aws, {"deletion_protection": true, "aws_secrets_manager": {"on_destroy": "keep"}})
	count(paistrike.deny) == 1 with input as plan(in_aws) with data.limits as object.union(limits, {"folders": ["aws/"]})
}

test_a_second_person_looks if {
	count(paistrike.review) == 0 with input as plan({"rotation_reason": "period"})
	paistrike.review == {"paistrike_api_token.ci is replaced because of secret_changed"} with input as plan({"rotation_reason": "secret_changed"})
	destroyed := json.patch(plan({}), [{"op": "replace", "path": "resource_changes/0/change", "value": {"actions": ["delete"], "after": null, "after_unknown": {}}}])
	paistrike.review == {"paistrike_api_token.ci is destroyed"} with input as destroyed
	count(paistrike.deny) == 0 with input as destroyed
}
