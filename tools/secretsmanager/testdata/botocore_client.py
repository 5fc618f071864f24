"""Drives the server with botocore, AWS's client for Python: argv is endpoint, key id, secret."""
import sys

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key_id, secret = sys.argv[1:]
session = botocore.session.get_session()


def client(service):
    return session.create_client(
        service, region_name="eu-central-1", endpoint_url=endpoint,
        aws_access_key_id=key_id, aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}),
    )


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["Error"]["Message"], error
        return
    raise AssertionError(f"{arguments} was not refused with {code}")


sm = client("secretsmanager")
one, two, three = (f"{n:032d}" for n in (1, 2, 3))

created = sm.create_secret(Name="py/a", SecretString="one", ClientRequestToken=one, Tags=[{"Key": "k", "Value": "v"}])
assert created["ARN"].startswith("arn:aws:secretsmanager:eu-central-1:123456789012:secret:py/a-"), created
refused("ResourceExistsException", sm.create_secret, Name="py/a", SecretString="other", ClientRequestToken=two)

staged = sm.put_secret_value(SecretId="py/a", SecretBinary=b"\x00\xff", ClientRequestToken=two, VersionStages=["MINE"])
assert staged["VersionStages"] == ["MINE"], staged
refused("ResourceExistsException", sm.put_secret_value, SecretId="py/a", SecretString="x", ClientRequestToken=two)
refused("InvalidParameterException", sm.update_secret_version_stage, SecretId="py/a", VersionStage="AWSCURRENT", MoveToVersionId=two)
sm.update_secret_version_stage(SecretId="py/a", VersionStage="AWSCURRENT", RemoveFromVersionId=one, MoveToVersionId=two)
assert sm.get_secret_value(SecretId=created["ARN"])["SecretBinary"] == b"\x00\xff"
assert sm.get_secret_value(SecretId="py/a", VersionStage="AWSPREVIOUS")["SecretString"] == "one"

sm.update_secret(SecretId="py/a", Description="d", SecretString="three", ClientRequestToken=three)
sm.tag_resource(SecretId="py/a", Tags=[{"Key": "l", "Value": "w"}])
sm.untag_resource(SecretId="py/a", TagKeys=["k"])
described = sm.describe_secret(SecretId="py/a")
assert described["Tags"] == [{"Key": "l", "Value": "w"}], described
assert described["VersionIdsToStages"] == {two: ["AWSPREVIOUS", "MINE"], three: ["AWSCURRENT"]}, described
assert described["CreatedDate"].year >= 2026, described

versions = sm.list_secret_version_ids(SecretId="py/a", IncludeDeprecated=True)["Versions"]
assert [v["VersionId"] for v in versions] == [one, two, three], versions
pages = sm.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": ["py/"]}])
assert [s["Name"] for page in pages for s in page["SecretList"]] == ["py/a"]

deleted = sm.delete_secret(SecretId="py/a", RecoveryWindowInDays=7)
assert (deleted["DeletionDate"] - described["CreatedDate"]).days in (6, 7), deleted
refused("InvalidRequestException", sm.get_secret_value, SecretId="py/a")
sm.restore_secret(SecretId="py/a")
sm.delete_secret(SecretId="py/a", ForceDeleteWithoutRecovery=True)
refused("ResourceNotFoundException", sm.describe_secret, SecretId="py/a")
refused("ValidationException", sm.describe_secret, SecretId="no name")

sts = client("sts")
assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/administrator"
refused("AccessDenied", sts.assume_role, RoleArn="arn:aws:iam::123456789012:role/none", RoleSessionName="session")
print("all good", botocore.__version__)
