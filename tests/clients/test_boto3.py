"""Everyday calls of boto3, over many services and protocols: each succeeds and leaves one true record."""

import io
import json
import random
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore.loaders import Loader

from tests.clients.calls import Recorded, only_record, recorded_during
from trailstate.testing import Lab, lab

SECRET = "a-s3cret-that-must-not-be-kept"
OTHER_ACCOUNT = "444455556666"
FAR_REGION = "eu-central-1"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """One lab for the module, which keeps data events too."""
    with lab(data_events="all", accounts=f"123456789012,{OTHER_ACCOUNT}") as started:
        yield started


TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
ROLE_ARN = "arn:aws:iam::123456789012:role/deployer"


def package(size_bytes: int) -> bytes:
    """A zip that does not shrink."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("main.py", "def handle(event, context): return event")
        archive.writestr("ballast", random.Random(1).randbytes(size_bytes))
    return file.getvalue()


class Case(NamedTuple):
    """A call and what its record says: the request parameters named are equal, others may be there."""

    service: str
    method: str
    parameters: dict[str, Any]
    event: str
    read_only: bool
    shows: dict[str, Any] | None = {}  # noqa: RUF012 - never changed
    source: str = ""
    category: str = "Management"
    is_global: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}-{self.event}"


def write(service: str, method: str, event: str, shows: dict[str, Any], /, *, source: str = "", **given: Any) -> Case:
    return Case(service, method, given, event, False, shows, source)


def read(
    service: str, method: str, event: str, shows: dict[str, Any] | None, /, *, source: str = "", **given: Any
) -> Case:
    return Case(service, method, given, event, True, shows, source)


def world_wide(case: Case) -> Case:
    return case._replace(is_global=True)


def data(case: Case) -> Case:
    return case._replace(category="Data")


CASES = [
    world_wide(
        write("iam", "create_user", "CreateUser", {"userName": "alice", "tags": [{"key": "team", "value": "red"}]},
              UserName="alice", Tags=[{"Key": "team", "Value": "red"}])),
    world_wide(write("iam", "create_access_key", "CreateAccessKey", {"userName": "alice"}, UserName="alice")),
    world_wide(write("iam", "create_login_profile", "CreateLoginProfile", {"userName": "alice"},
                     UserName="alice", Password=SECRET + "-A1")),
    world_wide(write("iam", "create_role", "CreateRole", {"roleName": "deployer", "assumeRolePolicyDocument": TRUST},
                     RoleName="deployer", AssumeRolePolicyDocument=TRUST)),
    world_wide(write("iam", "create_policy", "CreatePolicy", {"policyName": "all-of-s3", "policyDocument": POLICY},
                     PolicyName="all-of-s3", PolicyDocument=POLICY)),
    world_wide(write("iam", "put_role_policy", "PutRolePolicy", {"roleName": "deployer", "policyName": "inline"},
                     RoleName="deployer", PolicyName="inline", PolicyDocument=POLICY)),
    world_wide(read("iam", "list_users", "ListUsers", None)),
    world_wide(read("sts", "get_caller_identity", "GetCallerIdentity", None)),
    world_wide(read("sts", "assume_role", "AssumeRole", {"roleArn": ROLE_ARN, "roleSessionName": "session"},
                    RoleArn=ROLE_ARN, RoleSessionName="session")),
    write("lambda", "create_function", "CreateFunction20150331",
          {"functionName": "small", "handler": "main.handle", "code": {}, "environment": {}},
          FunctionName="small", Runtime="python3.12", Role=ROLE_ARN, Handler="main.handle",
          Code={"ZipFile": package(1000)}, Environment={"Variables": {"TOKEN": SECRET}}),
    write("lambda", "create_function", "CreateFunction20150331",
          {"functionName": "large", "runtime": "python3.12", "code": {}},
          FunctionName="large", Runtime="python3.12", Role=ROLE_ARN, Handler="main.handle",
          Code={"ZipFile": package(1_500_000)}),
    read("lambda", "get_function", "GetFunction20150331v2", {"functionName": "large"}, FunctionName="large"),
    write("kms", "create_key", "CreateKey", {"description": "for tests"}, Description="for tests"),
    write("kms", "create_alias", "CreateAlias", {"aliasName": "alias/k"}, AliasName="alias/k", TargetKeyId="{key}"),
    read("kms", "encrypt", "Encrypt", {"keyId": "alias/k"}, KeyId="alias/k", Plaintext=SECRET.encode()),
    write("secretsmanager", "create_secret", "CreateSecret", {"name": "db"}, Name="db", SecretString=SECRET),
    read("secretsmanager", "get_secret_value", "GetSecretValue", {"secretId": "db"}, SecretId="db"),
    write("ssm", "put_parameter", "PutParameter", {"name": "/db/password", "value": HIDDEN, "type": "SecureString"},
          Name="/db/password", Value=SECRET, Type="SecureString"),
    read("ssm", "get_parameter", "GetParameter", {"name": "/db/password", "withDecryption": True},
         Name="/db/password", WithDecryption=True),
    write("rds", "create_db_instance", "CreateDBInstance",
          {"dBInstanceIdentifier": "shop", "allocatedStorage": 20, "masterUserPassword": HIDDEN},
          DBInstanceIdentifier="shop", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
          MasterUsername="owner", MasterUserPassword=SECRET),
    read("rds", "describe_db_instances", "DescribeDBInstances", {"dBInstanceIdentifier": "shop"},
         DBInstanceIdentifier="shop"),
    write("dynamodb", "create_table", "CreateTable",
          {"tableName": "orders", "keySchema": [{"attributeName": "id", "keyType": "HASH"}]},
          TableName="orders", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
          AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}]),
    data(write("dynamodb", "put_item", "PutItem", {"tableName": "orders"},
               TableName="orders", Item={"id": {"S": "1"}, "card": {"S": SECRET}})),
    data(read("dynamodb", "get_item", "GetItem", {"tableName": "orders"},
              TableName="orders", Key={"id": {"S": "1"}})),
    write("sqs", "create_queue", "CreateQueue", {"queueName": "jobs", "attributes": {"DelaySeconds": "1"}},
          QueueName="jobs", Attributes={"DelaySeconds": "1"}),
    data(write("sqs", "send_message", "SendMessage", {"messageBody": HIDDEN},
               QueueUrl="{endpoint}/123456789012/jobs", MessageBody=SECRET)),
    write("sns", "create_topic", "CreateTopic", {"name": "alerts"}, Name="alerts"),
    data(write("sns", "publish", "Publish", {"message": HIDDEN},
               TopicArn=f"arn:aws:sns:{FAR_REGION}:123456789012:alerts", Message=SECRET)),
    write("logs", "create_log_group", "CreateLogGroup", {"logGroupName": "/app"}, logGroupName="/app"),
    write("events", "put_rule", "PutRule", {"name": "tick", "scheduleExpression": "rate(1 minute)"},
          Name="tick", ScheduleExpression="rate(1 minute)"),
    world_wide(write("organizations", "create_organization", "CreateOrganization", {"featureSet": "ALL"},
                     FeatureSet="ALL")),
    world_wide(write("route53", "create_hosted_zone", "CreateHostedZone",
                     {"name": "example.org", "callerReference": "1"}, Name="example.org", CallerReference="1")),
    world_wide(read("cloudfront", "list_distributions", "ListDistributions2020_05_31", None)),
    write("apigateway", "create_rest_api", "CreateRestApi", {"name": "shop"}, name="shop"),
    write("eks", "create_cluster", "CreateCluster", {"name": "prod", "roleArn": ROLE_ARN},
          name="prod", roleArn=ROLE_ARN, resourcesVpcConfig={"subnetIds": ["subnet-12345678"]}),
    write("cloudwatch", "put_metric_data", "PutMetricData",
          {"namespace": "shop", "metricData": [{"metricName": "orders", "value": 1.5}]},
          source="monitoring", Namespace="shop", MetricData=[{"MetricName": "orders", "Value": 1.5}]),
    read("cloudwatch", "describe_alarms", "DescribeAlarms", {"alarmNames": ["a"]}, source="monitoring",
         AlarmNames=["a"]),
    write("stepfunctions", "create_activity", "CreateActivity", {"name": "step"}, source="states", name="step"),
    write("ec2", "create_security_group", "CreateSecurityGroup", {"groupName": "web", "groupDescription": "d"},
          GroupName="web", Description="d"),
    write("ec2", "authorize_security_group_ingress", "AuthorizeSecurityGroupIngress",
          {"groupName": "web", "ipPermissions": {"items": [
              {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
               "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}},
          GroupName="web", IpPermissions=[
              {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]),
    write("ec2", "run_instances", "RunInstances", {"userData": "<sensitiveDataRemoved>", "instancesSet": {
              "items": [{"imageId": "ami-12c6146b", "minCount": 1, "maxCount": 1}]}},
          ImageId="ami-12c6146b", MinCount=1, MaxCount=1, UserData=SECRET),
    read("ec2", "describe_instances", "DescribeInstances",
         {"filterSet": {"items": [{"name": "instance-state-name", "valueSet": {"items": [{"value": "running"}]}}]}},
         Filters=[{"Name": "instance-state-name", "Values": ["running"]}]),
    read("cloudtrail", "lookup_events", "LookupEvents", {"maxResults": 2}, MaxResults=2),
]  # fmt: skip
"""In an order in which later calls find what earlier ones made."""


@pytest.fixture(scope="module")
def made(aws: Lab) -> list[Recorded]:
    """Every case, called once, with what its client saw and what was recorded meanwhile."""
    names = {"{endpoint}": aws.endpoint}
    seen: list[Recorded] = []
    for case in CASES:
        call = getattr(aws.client(case.service, region=FAR_REGION), case.method)
        given = {name: _filled(value, names) for name, value in case.parameters.items()}
        seen.append(recorded_during(aws, partial(call, **given)))
        if case.event == "CreateKey":
            names["{key}"] = seen[-1].answer["KeyMetadata"]["KeyId"]
    return seen


def _filled(value: Any, names: dict[str, str]) -> Any:
    for name, stands_for in names.items():
        value = value.replace(name, stands_for) if isinstance(value, str) else value
    return value


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=[case.name for case in CASES])
def test_one_true_record_of_each_call(made: list[Recorded], number: int, case: Case) -> None:
    record = only_record(made[number])
    assert record["eventSource"] == f"{case.source or case.service}.amazonaws.com"
    assert (record["eventName"], record["readOnly"]) == (case.event, case.read_only)
    assert record["awsRegion"] == ("us-east-1" if case.is_global else FAR_REGION)
    assert (record["eventCategory"], record["managementEvent"]) == (case.category, case.category == "Management")
    shown = record["requestParameters"]
    assert shown is None if case.shows is None else {name: shown.get(name) for name in case.shows} == case.shows
    assert record["userIdentity"]["accountId"] == record["recipientAccountId"] == "123456789012"
    assert record["userAgent"].startswith("Boto3/")
    assert SECRET not in json.dumps(record)


def speaking(aws: Lab, protocol: str, directory: Path) -> Any:
    """A CloudWatch client that speaks one of the protocols its model offers; by itself it takes the youngest."""
    loader = Loader(extra_search_paths=[str(directory)])
    model = loader.load_service_model("cloudwatch", "service-2")
    target = directory / "cloudwatch" / "2010-08-01"
    target.mkdir(parents=True)
    metadata = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
    (target / "service-2.json").write_text(json.dumps({**model, "metadata": metadata}))
    session = botocore.session.Session()
    session.register_component("data_loader", Loader(extra_search_paths=[str(directory)]))
    session.set_credentials(aws.account, "test")
    return session.create_client("cloudwatch", region_name=FAR_REGION, endpoint_url=aws.endpoint)


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
def test_the_same_call_gives_the_same_record_in_every_protocol(aws: Lab, tmp_path: Path, protocol: str) -> None:
    client = speaking(aws, protocol, tmp_path)
    assert client.meta.service_model.resolved_protocol == protocol
    value = {"MetricName": "orders", "Value": 1.5, "Unit": "Count", "Dimensions": [{"Name": "shop", "Value": "1"}]}
    record = only_record(recorded_during(aws, partial(client.put_metric_data, Namespace="n", MetricData=[value])))
    assert record["requestParameters"] == {
        "namespace": "n",
        "metricData": [
            {"metricName": "orders", "value": 1.5, "unit": "Count", "dimensions": [{"name": "shop", "value": "1"}]}
        ],
    }


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_what_one_protocol_wrote_another_reads(aws: Lab, tmp_path: Path, protocol: str) -> None:
    name = f"{protocol}-alarm"
    wanted = {
        "AlarmName": name,
        "MetricName": "m",
        "Namespace": "n",
        "Statistic": "Sum",
        "Period": 60,
        "Threshold": 2.5,
    }
    client = speaking(aws, protocol, tmp_path)
    client.put_metric_alarm(**wanted, EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold")
    (found,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert {key: found[key] for key in wanted} == wanted
    assert found["StateUpdatedTimestamp"].tzinfo is not None
    refused = recorded_during(aws, partial(client.set_alarm_state, AlarmName="no", StateValue="OK", StateReason="r"))
    assert refused.answer["Error"]["Code"] == "ResourceNotFound"


def test_a_refused_call_is_recorded_as_the_client_was_told(aws: Lab) -> None:
    done = recorded_during(aws, partial(aws.client("iam").get_user, UserName="nobody"))
    (record,) = done.records
    assert done.answer["Error"]["Code"] == "NoSuchEntity"
    assert record["errorCode"] == "NoSuchEntityException"
    assert record["errorMessage"] == done.answer["Error"]["Message"]
    assert record["requestID"] == done.request_id


def test_accounts_keep_to_themselves(aws: Lab) -> None:
    theirs = aws.client("sqs", key=OTHER_ACCOUNT)
    record = only_record(recorded_during(aws, partial(theirs.create_queue, QueueName="theirs")))
    assert record["userIdentity"]["accountId"] == record["recipientAccountId"] == OTHER_ACCOUNT
    assert [url.rpartition("/")[2] for url in theirs.list_queues()["QueueUrls"]] == ["theirs"]
    assert "QueueUrls" not in aws.client("sqs").list_queues()


def test_what_users_store_and_send_is_not_journalled_unless_somebody_asks(lab: Lab) -> None:
    lab.client("s3").create_bucket(Bucket="quiet")
    lab.client("s3").put_object(Bucket="quiet", Key="k", Body=b"b")
    queue = lab.client("sqs").create_queue(QueueName="quiet")["QueueUrl"]
    lab.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
    assert [record["eventName"] for record in lab.recorded()] == ["CreateBucket", "CreateQueue"]
