"""A call and its outcome as CloudTrail writes them: examples per protocol, and the laws every record keeps."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from trailstate.trail import bounds, record
from trailstate.trail.shape import java_date
from trailstate.wire import model
from trailstate.wire.call import (
    Call,
    Failure,
    Outcome,
    Principal,
    Session,
    SessionIssuer,
    WireRequest,
    WireResponse,
    service_principal,
)

NOON = datetime(2026, 1, 15, 12, 0, 5, 250000, tzinfo=UTC)
ALICE = Principal(
    "IAMUser", "111122223333", "AIDAALICE", "arn:aws:iam::111122223333:user/alice", "alice", "AKIAIOSFODNN7EXAMPLE"
)
ORDER = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "eventCategory",
    "tlsDetails",
]
CANARY = "canary-7f3a"


def a_call(service: str, operation: str, parameters: dict[str, Any] | None = None, **facts: Any) -> Call:
    known = {
        "account": "111122223333",
        "region": "eu-west-1",
        "principal": ALICE,
        "source_address": "198.51.100.7",
        "user_agent": "aws-cli/2",
        "request_id": "11111111-2222-4333-8444-555555555555",
        "event_id": "66666666-7777-4888-9999-aaaaaaaaaaaa",
        "now": NOON,
        "request": WireRequest("POST", "/", ()),
        "protocol": str(model.service_model(service).metadata["protocol"]),
        "host": f"{service}.eu-west-1.amazonaws.com",
    }
    return Call(service=service, operation=operation, parameters=parameters or {}, **(known | facts))


def done(result: dict[str, Any] | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Outcome:
    return Outcome(WireResponse(200, headers), result)


def failed(code: str, message: str = "no", status: int = 400) -> Outcome:
    return Outcome(WireResponse(status, ()), failure=Failure(code, message, status))


def test_iam_lowers_first_letters_drops_the_secret_and_writes_java_dates() -> None:
    key = {"AccessKeyId": "AKIANEW", "SecretAccessKey": CANARY, "CreateDate": NOON}
    event = record.build(a_call("iam", "CreateAccessKey", {"UserName": "bob"}), done({"AccessKey": key}))
    assert event["awsRegion"] == "us-east-1"
    assert event["requestParameters"] == {"userName": "bob"}
    written = {"accessKeyId": "AKIANEW", "createDate": "Jan 15, 2026, 12:00:05 PM"}
    assert event["responseElements"] == {"accessKey": written}


def test_ec2_items_style_gathers_the_launch_and_wraps_lists() -> None:
    parameters = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "SecurityGroupIds": ["sg-1"], "UserData": CANARY}
    instance = {"InstanceId": "i-1", "LaunchTime": NOON}
    event = record.build(a_call("ec2", "RunInstances", parameters), done({"Instances": [instance]}))
    assert event["requestParameters"] == {
        "instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1, "maxCount": 1}]},
        "groupSet": {"items": [{"groupId": "sg-1"}]},
        "userData": "<sensitiveDataRemoved>",
        "blockDeviceMapping": {},
        "monitoring": {"enabled": False},
        "disableApiTermination": False,
    }
    launched = {"instanceId": "i-1", "launchTime": 1768478405250}
    expected = {"requestId": event["requestID"], "instancesSet": {"items": [launched]}}
    assert event["responseElements"] == expected


def test_ec2_items_style_writes_what_its_old_interface_required_even_when_it_is_empty() -> None:
    event = record.build(
        a_call("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "dedicated"}), done()
    )
    assert event["requestParameters"] == {
        "cidrBlock": "10.0.0.0/16",
        "instanceTenancy": "dedicated",
        "amazonProvidedIpv6CidrBlock": False,
    }
    entry = {"NetworkAclId": "acl-1", "RuleNumber": 20, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
    event = record.build(a_call("ec2", "ReplaceNetworkAclEntry", entry), done())
    assert event["requestParameters"]["icmpTypeCode"] == event["requestParameters"]["portRange"] == {}
    rule = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    event = record.build(a_call("ec2", "AuthorizeSecurityGroupEgress", {"IpPermissions": [rule]}), done())
    (written,) = event["requestParameters"]["ipPermissions"]["items"]
    assert written == {
        "groups": {},
        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
        "ipv6Ranges": {},
        "prefixListIds": {},
        "ipProtocol": "tcp",
    }


def test_the_status_line_is_no_part_of_the_answer() -> None:
    event = record.build(a_call("lambda", "DeleteFunction", {"FunctionName": "f"}), done({"StatusCode": 204}))
    assert event["responseElements"] is None


def test_ec2_wrapped_style_folds_the_query_and_guesses_types() -> None:
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Temporary", "Value": "true"}]}]
    event = record.build(a_call("ec2", "CreateNatGateway", {"SubnetId": "s", "TagSpecifications": tags}), done({}))
    assert event["requestParameters"]["CreateNatGatewayRequest"]["TagSpecification"] == {
        "ResourceType": "natgateway",
        "Tag": {"Key": "Temporary", "Value": True, "tag": 1},
        "tag": 1,
    }


def test_ec2_reads_write_every_list_of_the_request() -> None:
    event = record.build(a_call("ec2", "DescribeVpcs", {"VpcIds": ["vpc-1"]}), done())
    assert event["requestParameters"] == {"vpcSet": {"items": [{"vpcId": "vpc-1"}]}, "filterSet": {}}
    assert event["responseElements"] is None


def test_s3_writes_the_request_as_sent() -> None:
    tags = b"<TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet>"
    body = b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + tags + b"</Tagging>"
    headers = (("x-amz-date", "20260115T120005Z"), ("x-amz-expected-bucket-owner", "1"), ("x-amz-acl", "private"))
    call = a_call("s3", "PutBucketTagging", {"Bucket": "b"}, request=WireRequest("PUT", "/b?tagging", headers, body))
    event = record.build(call, done(headers=(("x-amz-id-2", "id2"),)))
    tag = {"Tag": {"Key": "a", "Value": 1}}
    assert event["requestParameters"] == {
        "bucketName": "b",
        "Host": "s3.eu-west-1.amazonaws.com",
        "tagging": "",
        "Tagging": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "TagSet": tag},
        "x-amz-acl": "private",
    }
    assert event["responseElements"] is None
    assert event["additionalEventData"]["bytesTransferredIn"] == len(body)
    assert event["resources"] == [{"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}]


@pytest.mark.parametrize("body", [b'<?xml version="1.0" encoding="utf-7"?><a/>', b"<a>", b"<!DOCTYPE a><a/>"])
def test_a_body_that_s3_could_not_read_is_not_recorded(body: bytes) -> None:
    request = WireRequest("PUT", "/logs?tagging", (), body)
    call = a_call("s3", "PutBucketTagging", {"Bucket": "logs"}, request=request)

    written = record.build(call, failed("MalformedXML"))["requestParameters"]

    assert written == {"bucketName": "logs", "Host": "s3.eu-west-1.amazonaws.com", "tagging": ""}


def test_an_object_write_is_a_data_event_with_both_resources() -> None:
    event = record.build(a_call("s3", "PutObject", {"Bucket": "b", "Key": "k"}), done())
    assert (event["managementEvent"], event["eventCategory"]) == (False, "Data")
    assert [each["ARN"] for each in event["resources"]] == ["arn:aws:s3:::b/k", "arn:aws:s3:::b"]


def test_dynamodbs_values_are_written_without_the_letters_of_their_types() -> None:
    key = {
        "artist": {"S": "No One"}, "year": {"N": "1999"}, "live": {"BOOL": False}, "cover": {"B": b"\x00"},
        "label": {"NULL": True}, "tags": {"SS": ["a", "b"]}, "parts": {"L": [{"M": {"n": {"N": "1"}}}]},
    }  # fmt: skip
    event = record.build(a_call("dynamodb", "GetItem", {"TableName": "t", "Key": key}), done({}))
    assert event["requestParameters"]["key"] == {
        "artist": "No One", "year": "1999", "live": False, "cover": None,
        "label": None, "tags": ["a", "b"], "parts": [{"n": "1"}],
    }  # fmt: skip


def test_rds_drops_its_single_wrapper_and_hides_the_password() -> None:
    call = a_call("rds", "CreateDBInstance", {"DBInstanceIdentifier": "db", "MasterUserPassword": CANARY})
    event = record.build(call, done({"DBInstance": {"DBInstanceIdentifier": "db"}}))
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert event["requestParameters"] == {"dBInstanceIdentifier": "db", "masterUserPassword": hidden}
    assert event["responseElements"] == {"dBInstanceIdentifier": "db"}


@pytest.mark.parametrize(
    ("service", "operation", "code", "status", "written"),
    [
        ("ec2", "DescribeVpcs", "InvalidVpcID.NotFound", 400, "Client.InvalidVpcID.NotFound"),
        ("ec2", "DescribeVpcs", "InternalError", 500, "Server.InternalError"),
        ("iam", "GetRole", "NoSuchEntity", 404, "NoSuchEntityException"),
        ("cloudwatch", "GetDashboard", "ResourceNotFound", 404, "DashboardNotFoundError"),
        ("autoscaling", "CreateAutoScalingGroup", "ValidationError", 400, "ValidationException"),
        ("logs", "DeleteLogGroup", "AccessDeniedException", 400, "AccessDenied"),
        ("s3", "GetBucketTagging", "NoSuchTagSet", 404, "NoSuchTagSet"),
        ("s3", "HeadBucket", "404", 404, "NoSuchBucket"),
        ("s3", "HeadObject", "404", 404, "NoSuchKey"),
        ("s3", "HeadBucket", "403", 403, "AccessDenied"),
    ],
)
def test_error_codes_are_spelled_as_each_service_spells_them(
    service: str, operation: str, code: str, status: int, written: str
) -> None:
    event = record.build(a_call(service, operation), failed(code, "no", status))
    assert (event["errorCode"], event["errorMessage"]) == (written, "no")
    assert event["responseElements"] is None


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("docdb", "CreateDBCluster", {"MasterUserPassword": CANARY}),
        ("elasticache", "CreateReplicationGroup", {"AuthToken": CANARY}),
        ("mq", "CreateBroker", {"Users": [{"Password": CANARY}]}),
        ("emr", "RunJobFlow", {"KerberosAttributes": {"KdcAdminPassword": CANARY}}),
    ],
)
def test_a_secret_is_known_by_its_name_where_the_model_forgot_it(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    call = a_call(service, operation, parameters)

    assert CANARY not in json.dumps(record.build(call, done({})))
    assert CANARY not in json.dumps(record.build(call, failed("InvalidParameter", f"'{CANARY}' is too short")))


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    call = a_call("iam", "UpdateSAMLProvider", {"SAMLProviderArn": "arn", "RemovePrivateKey": "KEYID"})

    assert record.build(call, done({}))["requestParameters"]["removePrivateKey"] == "KEYID"


def test_an_error_message_repeats_no_secret() -> None:
    call = a_call("cognito-idp", "GlobalSignOut", {"AccessToken": CANARY})

    written = record.build(call, failed("NotAuthorizedException", f"The token {CANARY} is not valid."))

    assert written["errorMessage"] == "The token HIDDEN_DUE_TO_SECURITY_REASONS is not valid."

    call = a_call("secretsmanager", "CreateSecret", {"Name": "n", "SecretBinary": CANARY.encode()})
    written = record.build(call, failed("InvalidRequestException", f"{CANARY} is no secret, nor is Y2FuYXJ5LTdmM2E="))
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert written["errorMessage"] == f"{hidden} is no secret, nor is {hidden}"


def test_guardduty_says_its_errors_in_the_response() -> None:
    event = record.build(a_call("guardduty", "UpdateDetector", {"DetectorId": "d"}), failed("AccessDeniedException"))
    assert "errorMessage" not in event
    assert event["responseElements"] == {"message": "no"}


def test_a_service_is_its_own_address_and_agent() -> None:
    event = record.build(
        a_call("kms", "GenerateDataKey", {"KeyId": "k"}, principal=service_principal("cloudtrail.amazonaws.com")),
        done(),
    )
    assert event["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert event["sourceIPAddress"] == event["userAgent"] == "cloudtrail.amazonaws.com"
    assert "sharedEventID" in event


def test_only_services_calling_into_the_account_share_their_events_as_recorded() -> None:
    config = service_principal("config.amazonaws.com")
    assert "sharedEventID" in record.build(
        a_call("s3", "PutObject", {"Bucket": "b", "Key": "k"}, principal=config), done()
    )
    assert "sharedEventID" not in record.build(a_call("ec2", "DescribeVpcs", principal=config), done())


def test_a_call_through_a_service_shows_the_service_as_address_and_agent() -> None:
    through = replace(ALICE, invoked_by="cloudformation.amazonaws.com")
    tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
    event = record.build(a_call("ec2", "CreateVpc", principal=through, tls=tls), done())
    assert event["sourceIPAddress"] == event["userAgent"] == "cloudformation.amazonaws.com"
    assert event["userIdentity"]["userName"] == "alice"
    assert "tlsDetails" not in event


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("vpce-0a1b2c3d4e5f60718-abcd1234.sqs.us-east-1.vpce.amazonaws.com", "vpce-0a1b2c3d4e5f60718"),
        ("vpce-1a2b3c4d-5e6f-us-east-1a.kms.us-east-1.vpce.amazonaws.com:443", "vpce-1a2b3c4d"),
        ("bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "vpce-1a2b3c4d"),
        ("sqs.us-east-1.amazonaws.com", None),
        ("vpce-1a2b3c4d.example.com", None),
    ],
)
def test_a_call_through_a_vpc_endpoint_names_it(host: str, endpoint: str | None) -> None:
    event = record.build(a_call("sqs", "CreateQueue", {"QueueName": "q"}, host=host), done())
    assert event.get("vpcEndpointId") == endpoint
    assert list(event) == [name for name in ORDER if name in event]


def test_a_role_session_names_its_issuer_in_text_typed_attributes() -> None:
    role = SessionIssuer("Role", "AROAX", "arn:aws:iam::111122223333:role/r", "111122223333", "r")
    arn = "arn:aws:sts::111122223333:assumed-role/r/s"
    who = Principal(
        "AssumedRole", "111122223333", "AROAX:s", arn, access_key_id="ASIA", session=Session(NOON, True, role)
    )
    context = record.build(a_call("sts", "GetCallerIdentity", principal=who), done({}))["userIdentity"][
        "sessionContext"
    ]
    assert context["attributes"] == {"creationDate": "2026-01-15T12:00:05Z", "mfaAuthenticated": "true"}
    assert context["sessionIssuer"]["userName"] == "r"


def test_a_role_of_another_account_gives_both_accounts_a_copy() -> None:
    call = a_call("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::444455556666:role/r", "RoleSessionName": "s"})
    own, theirs = record.build_all(record.draft(call), done({}))
    assert own["sharedEventID"] == theirs["sharedEventID"]
    assert (own["recipientAccountId"], theirs["recipientAccountId"]) == ("111122223333", "444455556666")
    assert theirs["userIdentity"]["type"] == "AWSAccount"


def test_oversized_parameters_are_omitted_and_long_texts_cut() -> None:
    big = "x" * 110_000
    call = a_call(
        "logs", "PutLogEvents", {"logGroupName": big}, request=WireRequest("POST", "/", (), body_size=110_100)
    )
    event = record.build(replace(call, user_agent="é" * 2000), done())
    assert event["requestParameters"]["reason"] == "requestParameters too large"
    assert len(event["userAgent"].encode()) == bounds.TEXT_BYTES_MAX


def test_a_null_within_a_list_or_map_is_written_as_it_came() -> None:
    """Clients may send them; whether the service takes them is not the record's to say."""
    tagged = a_call("dynamodb", "TagResource", {"ResourceArn": "arn", "Tags": [None, {"Key": "k", "Value": "v"}]})
    written = record.build(tagged, done({}))["requestParameters"]

    assert written["tags"] == [None, {"key": "k", "value": "v"}]

    item = a_call("dynamodb", "DeleteItem", {"TableName": "t", "Key": {"id": None}})
    assert record.build(item, done({}))["requestParameters"]["key"] == {"id": None}


def test_a_record_too_large_as_a_whole_gives_up_its_largest_members() -> None:
    names = ["n" * 20] * 4000
    request = WireRequest("POST", "/", (), body_size=90_000)
    call = a_call("ssm", "GetParameters", {"Names": [f"{each}{i}" for i, each in enumerate(names)]}, request=request)
    event = record.build(call, failed("ValidationException"))
    assert len(json.dumps(event)) <= bounds.RECORD_BYTES_MAX
    assert event["requestParameters"]["reason"] == "requestParameters too large"
    assert (event["eventName"], event["errorCode"]) == ("GetParameters", "ValidationException")


def test_java_dates_of_midnight_and_noon() -> None:
    assert java_date(datetime(2026, 3, 1, 0, 5, 9, tzinfo=UTC)) == "Mar 1, 2026, 12:05:09 AM"
    assert java_date(datetime(2026, 3, 1, 12, 5, 9, tzinfo=UTC)) == "Mar 1, 2026, 12:05:09 PM"


SAMPLE = [
    ("iam", "CreateLoginProfile"), ("iam", "CreateAccessKey"), ("iam", "ChangePassword"), ("sts", "AssumeRole"),
    ("rds", "CreateDBInstance"), ("redshift", "CreateCluster"), ("secretsmanager", "PutSecretValue"),
    ("ssm", "PutParameter"), ("kms", "Encrypt"), ("kms", "GenerateDataKey"), ("cognito-idp", "AdminCreateUser"),
    ("organizations", "CreateAccount"), ("lambda", "CreateFunction"),
    ("ebs", "StartSnapshot"), ("rolesanywhere", "CreateProfile"),
    ("glue", "CreateConnection"), ("ec2", "CreateKeyPair"), ("ec2", "RunInstances"), ("ec2", "CreateVpnConnection"),
    ("ec2", "CreateLaunchTemplate"), ("cloudfront", "CreateDistribution"), ("sns", "Publish"),
    ("codebuild", "CreateProject"),
    ("transcribe", "StartTranscriptionJob"), ("apigatewayv2", "CreateIntegration"), ("sesv2", "SendEmail"),
]  # fmt: skip


def filled(shape: Any, secret: bool, stack: tuple[str, ...] = ()) -> Any:
    """A value with every member, the canary in whatever the model calls sensitive."""
    secret = secret or bool(shape.metadata.get("sensitive"))
    if shape.type_name == "structure":
        within = {} if stack.count(shape.name) > 1 else shape.members
        return {name: filled(inner, secret, (*stack, shape.name)) for name, inner in within.items()}
    if shape.type_name == "list":
        return [filled(shape.member, secret, (*stack, shape.name))] if stack.count(shape.name) < 2 else []
    if shape.type_name == "map":
        key = CANARY if secret or shape.key.metadata.get("sensitive") else "name"
        return {key: filled(shape.value, secret, (*stack, shape.name))} if stack.count(shape.name) < 2 else {}
    plain = {"timestamp": NOON, "boolean": True, "integer": 1, "long": 1, "float": 0.5, "double": 0.5}
    if shape.type_name == "blob":
        return CANARY.encode()
    return CANARY if secret and shape.type_name == "string" else plain.get(shape.type_name, "text")


@pytest.mark.parametrize(("service", "operation"), SAMPLE)
def test_every_record_keeps_the_laws_and_no_secret(service: str, operation: str) -> None:
    known = model.operation_model(service, operation)
    parameters = filled(known.input_shape, False)
    result = filled(known.output_shape, False) if known.output_shape is not None else {}
    call = a_call(
        service, operation, parameters, tls={"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
    )
    event = record.build(call, done(result))
    assert CANARY not in json.dumps(event)
    assert list(event) == [name for name in ORDER if name in event]
    assert len(event["eventTime"]) == 20
    assert event == record.build(call, done(result))


@pytest.mark.parametrize(("service", "operation"), SAMPLE)
def test_empty_parameters_are_null_never_an_empty_object(service: str, operation: str) -> None:
    event = record.build(a_call(service, operation), done({}))
    assert event["requestParameters"] != {}
    assert event["responseElements"] != {}
