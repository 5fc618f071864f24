package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// document reads and checks a policy.
func document(t *testing.T, text string) policy {
	t.Helper()
	var p policy
	if err := decodeStrictly([]byte(text), &p); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := p.check(false); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// statements returns a policy with the given statements.
func statements(list ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}

const secretARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"

func TestEvaluation(t *testing.T) {
	t.Parallel()
	const anything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	read := ask{action: "secretsmanager:GetSecretValue", resource: secretARN + "ci/a-AbCdEf", keys: conditionKeys{}}
	read.keys.add("aws:ResourceTag/team", "ci")
	read.keys.add("aws:PrincipalTag/team", "ci")
	for _, c := range []struct {
		policy string
		want   verdict
	}{
		{statements(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`), implicitDeny},
		{statements(anything), allow},
		{statements(anything, `{"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*"}`), explicitDeny},
		{statements(anything, `{"Effect":"Deny","NotAction":"secretsmanager:Get*","Resource":"*"}`), allow},
		{statements(anything, `{"Effect":"Deny","Action":"*","NotResource":"`+secretARN+`ci/*"}`), allow},
		{statements(anything, `{"Effect":"Deny","Action":"*","NotResource":"`+secretARN+`prod/*"}`), explicitDeny},
		{statements(`{"Effect":"Allow","Action":"SecretsManager:getsecret*","Resource":"` + secretARN + `ci/?-??????"}`), allow},
		{statements(`{"Effect":"Allow","Action":["secretsmanager:Get*"],"Resource":["` + secretARN + `ci/a"]}`), implicitDeny}, // without the random suffix
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:ci/*"}`), allow},
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:secret:ci/*"}`), implicitDeny}, // * does not match a colon
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"` + secretARN + `CI/*"}`), implicitDeny},
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"` + secretARN + `${aws:PrincipalTag/team}/*"}`), allow},
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"` + secretARN + `${aws:PrincipalTag/none}*"}`), implicitDeny},
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"aws:resourcetag/TEAM":"${aws:PrincipalTag/team}"}}}`), allow},
		{statements(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":["prod","test"]}}}`), implicitDeny},
		{`{"Version":"2012-10-17","Statement":` + anything + `}`, allow}, // a single statement without brackets
	} {
		if got := evaluate([]policy{document(t, c.policy)}, read); got != c.want {
			t.Errorf("%s: %d, want %d", c.policy, got, c.want)
		}
	}
	if got := evaluate(nil, read); got != implicitDeny {
		t.Errorf("no policy: %d", got)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operator, value string
		asked           []string // nil: the key is not in the request
		want            bool
	}{
		{"StringEquals", `"ci"`, []string{"ci"}, true},
		{"StringEquals", `"c*"`, []string{"ci"}, false},
		{"StringEquals", `["prod","ci"]`, []string{"ci"}, true},
		{"StringEquals", `"ci"`, nil, false},
		{"StringEqualsIfExists", `"ci"`, nil, true},
		{"StringEqualsIfExists", `"ci"`, []string{"prod"}, false},
		{"StringNotEquals", `"ci"`, []string{"prod"}, true},
		{"StringNotEquals", `["prod","ci"]`, []string{"prod"}, false},
		{"StringNotEquals", `"ci"`, nil, true},
		{"StringEqualsIgnoreCase", `"CI"`, []string{"ci"}, true},
		{"StringLike", `"ci/*"`, []string{"ci/a/b"}, true},
		{"StringLike", `"ci/?"`, []string{"ci/ab"}, false},
		{"StringLike", `"${*}"`, []string{"ci"}, false},
		{"StringLike", `"${*}"`, []string{"*"}, true},
		{"StringNotLike", `"ci/*"`, []string{"prod/a"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
		{"ForAllValues:StringEquals", `["a","b"]`, nil, true}, // "also returns true if there are no keys in the request"
		{"ForAllValues:StringLike", `"paistrike_*"`, []string{"paistrike_a", "paistrike_b"}, true},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "a"}, true},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c"}, false},
		{"ForAnyValue:StringEquals", `["a","b"]`, nil, false},
		{"ForAnyValue:StringNotEquals", `"a"`, nil, false},
		{"Null", `"true"`, nil, true},
		{"Null", `true`, []string{"x"}, false},
		{"Null", `"false"`, []string{"x"}, true},
		{"Bool", `true`, []string{"true"}, true},
		{"Bool", `"false"`, []string{"true"}, false},
		{"NumericGreaterThanEquals", `7`, []string{"7"}, true},
		{"NumericLessThan", `"7"`, []string{"30"}, false},
		{"NumericNotEquals", `7`, []string{"30"}, true},
		{"NumericEquals", `7`, []string{"7.0"}, true},
		{"NumericGreaterThan", `7`, []string{"7"}, false},
		{"NumericLessThanEquals", `7`, []string{"7"}, true},
		{"NumericLessThan", `7`, []string{"seven"}, false},
		{"ArnLike", `"arn:aws:iam::*:role/ci-*"`, []string{"arn:aws:iam::123456789012:role/ci-a"}, true},
		{"ArnNotEquals", `"arn:aws:iam::*:role/ci-*"`, []string{"arn:aws:iam::123456789012:role/other"}, true},
	} {
		p := document(t, statements(fmt.Sprintf(`{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{%q:{"the:Key":%s}}}`, c.operator, c.value)))
		keys := conditionKeys{}
		if c.asked != nil {
			keys.add("the:key", c.asked...)
		}
		if got := evaluate([]policy{p}, ask{action: "a:b", resource: "*", keys: keys}) == allow; got != c.want {
			t.Errorf("%s %s of %q: %v", c.operator, c.value, c.asked, got)
		}
	}
}

// A policy that the server cannot fully evaluate is rejected, because it would allow or deny
// something else.
func TestPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, `[]`, `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, statements(),
		statements(`{"Effect":"allow","Action":"*","Resource":"*"}`),
		statements(`{"Effect":"Allow","Resource":"*"}`),
		statements(`{"Effect":"Allow","Action":"*"}`),
		statements(`{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}`),
		statements(`{"Effect":"Allow","Action":"GetSecretValue","Resource":"*"}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"secret:ci/*"}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","NotPrincipal":"*"}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringMatches":{"a":"b"}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForSomeValues:StringLike":{"a":"b"}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"a":"perhaps"}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a":"seven"}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"a":{"b":"c"}}}}`),
		statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`) + `x`,
	} {
		var p policy
		err := decodeStrictly([]byte(text), &p)
		if err == nil {
			err = p.check(false)
		}
		if err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// limitedUser returns a user whose policy has the given statements.
func limitedUser(t *testing.T, list ...string) user {
	t.Helper()
	return user{Name: "ci", AccessKeyID: "AKIALIMITED000000000", SecretAccessKey: "secret of a test", Policies: []policy{document(t, statements(list...))}}
}

// AWS's error names the secret as the caller did, and the kind of policy.
func TestAccessDenied(t *testing.T) {
	t.Parallel()
	u := limitedUser(t,
		`{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"`+secretARN+`ci/*"}`,
		`{"Effect":"Deny","Action":"secretsmanager:DescribeSecret","Resource":"`+secretARN+`ci/locked-*"}`)
	w := newWorld(t, iamConfig{Users: []user{u}})
	w.create("ci/a")
	w.create("ci/locked")
	w.create("prod/a")
	limited := w.client(as(u))
	const mine = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:"
	for id, want := range map[string]string{
		"ci/a":    "",
		"ci/none": "Secrets Manager can't find the specified secret.",
		"prod/a":  mine + "DescribeSecret on resource: prod/a because no identity-based policy allows the secretsmanager:DescribeSecret action",
		// A caller without permission does not learn whether the secret exists.
		"prod/none": mine + "DescribeSecret on resource: prod/none because no identity-based policy allows the secretsmanager:DescribeSecret action",
		"ci/locked": mine + "DescribeSecret on resource: ci/locked with an explicit deny in an identity-based policy",
	} {
		_, err := limited.DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: &id})
		if want == "" && err != nil || err != nil && !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
	_, err := limited.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("ci/b")})
	if want := mine + "CreateSecret on resource: ci/b because no identity-based policy allows the secretsmanager:CreateSecret action"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("create: %v", err)
	}
	_, err = limited.ListSecrets(t.Context(), &sm.ListSecretsInput{})
	if got := refusal(err); got != accessDenied {
		t.Errorf("list: %q", got)
	}
}

// A role can be limited to secrets with its tag: it creates secrets with the tag, cannot
// remove it, and cannot access other secrets.
func TestRightsByTag(t *testing.T) {
	t.Parallel()
	u := limitedUser(t,
		`{"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:TagResource"],"Resource":"`+secretARN+`ci/*","Condition":{
			"StringEquals":{"aws:RequestTag/managed_by":"paistrike"},"ForAllValues:StringLike":{"aws:TagKeys":["managed_by","paistrike_*"]}}}`,
		`{"Effect":"Allow","Action":["secretsmanager:DescribeSecret","secretsmanager:TagResource","secretsmanager:UntagResource","secretsmanager:DeleteSecret"],"Resource":"`+secretARN+`ci/*",
			"Condition":{"StringEquals":{"secretsmanager:ResourceTag/managed_by":"paistrike"}}}`,
		`{"Effect":"Deny","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"Bool":{"secretsmanager:ForceDeleteWithoutRecovery":"true"}}}`,
		`{"Effect":"Deny","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"NumericLessThan":{"secretsmanager:RecoveryWindowInDays":14}}}`)
	w := newWorld(t, iamConfig{Users: []user{u}})
	w.create("ci/other")
	limited, ctx := w.client(as(u)), t.Context()
	create := func(name string, tags ...string) error {
		_, err := limited.CreateSecret(ctx, &sm.CreateSecretInput{Name: &name, Tags: pairs(tags...)})
		return err
	}
	tag := func(name, tags string) error {
		_, err := limited.TagResource(ctx, &sm.TagResourceInput{SecretId: &name, Tags: pairs(tags)})
		return err
	}
	describe := func(name string) error {
		_, err := limited.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: &name})
		return err
	}
	remove := func(days int64, force bool) error {
		in := &sm.DeleteSecretInput{SecretId: aws.String("ci/a")}
		if force {
			in.ForceDeleteWithoutRecovery = &force
		} else {
			in.RecoveryWindowInDays = &days
		}
		_, err := limited.DeleteSecret(ctx, in)
		return err
	}
	untag := func() error {
		_, err := limited.UntagResource(ctx, &sm.UntagResourceInput{SecretId: aws.String("ci/a"), TagKeys: []string{"managed_by"}})
		return err
	}
	for _, c := range []struct {
		step string
		err  error
		want string
	}{
		{"create without the tag", create("ci/a"), accessDenied},
		{"create with another value", create("ci/a", "managed_by=hand"), accessDenied},
		{"create with a tag more", create("ci/a", "managed_by=paistrike", "owner=me"), accessDenied},
		{"create elsewhere", create("prod/a", "managed_by=paistrike"), accessDenied},
		{"create", create("ci/a", "managed_by=paistrike", "paistrike_state=active"), ""},
		{"describe", describe("ci/a"), ""},
		{"describe what has no tag", describe("ci/other"), accessDenied},
		{"describe what is not there, and so has no tag", describe("ci/none"), accessDenied},
		{"tag", tag("ci/a", "paistrike_state=due"), ""},
		{"tag what has no tag", tag("ci/other", "paistrike_state=due"), accessDenied},
		// "If successfully completing this operation would result in you losing your
		// permissions for this secret, then the operation is blocked and returns an Access
		// Denied error."
		{"take the tag off", untag(), accessDenied},
		{"give the tag another value", tag("ci/a", "managed_by=hand"), accessDenied},
		{"delete by force", remove(0, true), accessDenied},
		{"delete with a short window", remove(7, false), accessDenied},
		{"delete", remove(14, false), ""},
	} {
		if got := refusal(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", c.step, got, c.want)
		}
	}
}

// A consumer can be limited to the current and the previous value, and a role to moving its
// own label.
func TestRightsByStage(t *testing.T) {
	t.Parallel()
	u := limitedUser(t,
		`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"secretsmanager:VersionStage":["AWSCURRENT","AWSPREVIOUS"]}}}`,
		`{"Effect":"Allow","Action":"secretsmanager:UpdateSecretVersionStage","Resource":"*","Condition":{"StringNotEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}}`)
	w := newWorld(t, iamConfig{Users: []user{u}})
	w.create("a")
	if err := w.put("a", "2", "two", "MINE"); err != nil {
		t.Fatal(err)
	}
	limited := w.client(as(u))
	for _, c := range []struct {
		version, stage *string
		want           string
	}{
		{nil, nil, ""}, {nil, aws.String(current), ""}, {nil, aws.String(previous), notFound}, {nil, aws.String("MINE"), accessDenied}, {id("2"), nil, accessDenied},
	} {
		_, err := limited.GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: c.version, VersionStage: c.stage})
		if got := refusal(err); got != c.want {
			t.Errorf("read %v %v: %q, want %q", aws.ToString(c.version), aws.ToString(c.stage), got, c.want)
		}
	}
	for stage, want := range map[string]string{"MINE": "", current: accessDenied} {
		_, err := limited.UpdateSecretVersionStage(t.Context(), &sm.UpdateSecretVersionStageInput{
			SecretId: aws.String("a"), VersionStage: &stage, RemoveFromVersionId: map[string]*string{"MINE": id("2"), current: id("1")}[stage], MoveToVersionId: map[string]*string{"MINE": id("1"), current: id("2")}[stage],
		})
		if got := refusal(err); got != want {
			t.Errorf("move %s: %q, want %q", stage, got, want)
		}
	}
	elsewhere := limitedUser(t, `{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}`)
	if err := w.identities.add(iamConfig{Users: []user{elsewhere}}); err != nil {
		t.Fatal(err)
	}
	_, err := w.client(as(elsewhere)).GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("a")})
	if got := refusal(err); got != accessDenied {
		t.Errorf("in a region that is not allowed: %q", got)
	}
}
