"""Sensitive members are dropped, hidden or starred, as the tables and the model say."""

from typing import Any

import pytest
from bench.rebuild import KEY, maximal, paths

from trailstate.trail.mask import SHOW, hidden
from trailstate.trail.names import renames
from trailstate.trail.plan import dropped_wrapper, plan_of
from trailstate.trail.shape import Rules, compiled
from trailstate.trail.tables import table
from trailstate.wire import model
from trailstate.wire.call import Outcome, WireResponse

from .test_record import a_call


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "written"),
    [
        ("ssm", "PutParameter", {"Name": "/a", "Value": "s3cret"},
         {"name": "/a", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        ("iam", "CreateLoginProfile", {"UserName": "a", "Password": "s3cret"}, {"userName": "a"}),
        ("secretsmanager", "PutSecretValue", {"SecretId": "a", "SecretString": "s3cret"}, {"secretId": "a"}),
        ("organizations", "CreateAccount", {"Email": "a@b", "AccountName": "n"},
         {"email": "****", "accountName": "****"}),
        ("kms", "Encrypt", {"KeyId": "k", "Plaintext": b"s3cret"}, {"keyId": "k"}),
        ("lambda", "CreateFunction", {"FunctionName": "f", "Environment": {"Variables": {"P": "s3cret"}}},
         {"functionName": "f", "environment": {}}),
        ("sqs", "SendMessage", {"QueueUrl": "u", "MessageBody": "s3cret"},
         {"queueUrl": "u", "messageBody": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        ("sqs", "SendMessageBatch", {"QueueUrl": "u", "Entries": [{"Id": "1", "MessageBody": "s3cret"}]},
         {"queueUrl": "u", "entries": [{"id": "1", "messageBody": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}),
        ("sns", "Publish", {"TopicArn": "t", "Message": "s3cret"},
         {"topicArn": "t", "message": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": {"k": {"S": "s3cret"}}}, {"tableName": "t"}),
        ("dynamodb", "UpdateItem", {"TableName": "t", "Key": {"k": {"S": "a"}},
         "ExpressionAttributeValues": {":v": {"S": "s3cret"}}}, {"tableName": "t", "key": {"k": "a"}}),
        ("dynamodb", "BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": {"Item": {"k": {"S": "s3cret"}}}}]}},
         {"requestItems": {"t": [{"putRequest": {}}]}}),
        ("dynamodb", "TransactWriteItems",
         {"TransactItems": [{"Put": {"TableName": "t", "Item": {"k": {"S": "s3cret"}}}}]},
         {"requestItems": [{"operation": "Put", "tableName": "t", "items": ["k"]}]}),
        ("dynamodb", "TransactGetItems", {"TransactItems": [{"Get": {"TableName": "t", "Key": {"k": {"S": "a"}}}}]},
         {"requestItems": [{"operation": "Get", "tableName": "t", "key": {"k": "a"}}]}),
        ("dynamodb", "BatchExecuteStatement", {"Statements": [{"Statement": "s", "Parameters": [{"S": "s3cret"}]}]},
         {"requestItems": [{"statement": "s"}]}),
        ("dynamodb", "BatchExecuteStatement",
         {"Statements": [{"Statement": "INSERT INTO Mus VALUE {'Artist' : 's3cret, it''s', 'Year': 1999}"}]},
         {"requestItems": [{"statement": "INSERT INTO Mus VALUE {'Artist' : ***(Redacted), 'Year': ***(Redacted)}"}]}),
        ("dynamodb", "ExecuteStatement", {"Statement": 'SELECT * FROM "t-2" WHERE k = \'s3cret\' AND n > -1.5'},
         {"statement": 'SELECT * FROM "t-2" WHERE k = ***(Redacted) AND n > ***(Redacted)'}),
        ("logs", "PutLogEvents", {"logGroupName": "g", "logEvents": [{"timestamp": 1, "message": "s3cret"}]},
         {"logGroupName": "g"}),
        ("events", "PutEvents", {"Entries": [{"Source": "s", "Detail": "s3cret"}]},
         {"entries": [{"source": "s", "detail": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}),
        ("rolesanywhere", "CreateProfile", {"tags": [{"key": "a", "value": "b"}]},
         {"tags": [{"key": "HIDDEN_DUE_TO_SECURITY_REASONS", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}),
    ],
)  # fmt: skip
def test_requests_hide_what_the_tables_and_the_model_name(
    service: str, operation: str, parameters: dict[str, Any], written: dict[str, Any]
) -> None:
    assert plan_of(service, operation).request(a_call(service, operation, parameters)) == written


ROWS = [
    (row, side, path)
    for row, sides in table("masks")["paths"].items()
    if not row.startswith("ec2.")
    for side, paths in sides.items()
    for path in paths
]


@pytest.mark.parametrize(("row", "side", "path"), ROWS)
def test_every_row_names_something_that_a_record_would_show_without_it(row: str, side: str, path: str) -> None:
    service, _, operation = row.partition(".")
    operations = model.service_model(service).operation_names if operation == "*" else [operation]
    assert any(shows(service, each, side, path) for each in operations)


def shows(service: str, operation: str, side: str, path: str) -> bool:
    known = model.operation_model(service, operation)
    shape = known.input_shape if side == "request" else known.output_shape
    if shape is None:
        return False
    wrapper = dropped_wrapper(service, shape) if side == "response" else None
    shape = shape.members[wrapper] if wrapper is not None else shape
    rules = Rules(
        str(known.service_model.metadata["protocol"]), masks={path: SHOW}, renames=renames(service, operation, side)
    )
    written = compiled(shape, rules)(maximal(shape, 1))
    return path.replace("{}", f".{KEY}") in paths(written)


def test_sts_shows_the_session_token_but_never_the_secret_key() -> None:
    credentials = {"AccessKeyId": "ASIA", "SecretAccessKey": "s3cret", "SessionToken": "token"}
    outcome = Outcome(WireResponse(200, ()), {"Credentials": credentials})
    shown = plan_of("sts", "AssumeRole").response(a_call("sts", "AssumeRole"), outcome)
    assert shown == {"credentials": {"accessKeyId": "ASIA", "sessionToken": "token"}}


def test_received_messages_are_not_in_the_record() -> None:
    outcome = Outcome(WireResponse(200, ()), {"Messages": [{"MessageId": "m", "Body": "s3cret"}]})
    shown = plan_of("sqs", "ReceiveMessage").response(a_call("sqs", "ReceiveMessage"), outcome)
    assert not shown


def test_hiding_keeps_lists_and_empties_maps() -> None:
    conceal = hidden("starred")
    assert conceal(["a", "b"]) == ["****", "****"]
    assert conceal({"a": "b"}) == {}
