"""Parameters against the model, and the words of the refusal."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailstate.wire.fault import Fault
from trailstate.wire.model import operation_model, service_model
from trailstate.wire.pattern import compiled_pattern
from trailstate.wire.validate import validate


def refusal(service: str, operation: str, parameters: Any, protocol: str | None = None) -> Fault:
    with pytest.raises(Fault) as caught:
        validate(service, operation_model(service, operation), parameters, protocol)
    return caught.value


def status(service: str, model: Any, parameters: Any) -> int:
    """The status of the answer; any exception that is no Fault fails the test."""
    try:
        validate(service, model, parameters)
    except Fault as fault:
        return fault.status
    return 200


def test_what_the_model_allows_passes() -> None:
    parameters = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "RunInstances"}],
        "StartTime": datetime(2026, 1, 15, tzinfo=UTC),
        "MaxResults": 50,
        "NextToken": None,
    }
    assert status("cloudtrail", operation_model("cloudtrail", "LookupEvents"), parameters) == 200
    assert status("sts", operation_model("sts", "GetCallerIdentity"), {}) == 200


CASES = [
    ("LookupEvents", {"MaxResults": 51}, "Value '51' at 'maxResults'", "have value less than or equal to 50"),
    ("LookupEvents", {"MaxResults": 0}, "Value '0' at 'maxResults'", "have value greater than or equal to 1"),
    ("CreateTrail", {"Name": "t"}, "Value null at 's3BucketName'", "not be null"),
    ("ListTags", {"ResourceIdList": ["r", None]}, "Value null at 'resourceIdList.2.member'", "not be null"),
    (
        "AddTags",
        {"ResourceId": "r", "TagsList": [{"Key": "k" * 129}]},
        f"Value '{'k' * 129}' at 'tagsList.1.member.key'",
        "have length less than or equal to 128",
    ),
    (
        "LookupEvents",
        {"EventCategory": "rain"},
        "Value 'rain' at 'eventCategory'",
        "satisfy enum value set: [insight]",
    ),
    (
        "GetQueryResults",
        {"QueryId": "not an id" * 4},
        f"Value '{'not an id' * 4}' at 'queryId'",
        r"satisfy regular expression pattern: ^[a-f0-9\-]+$",
    ),
]


@pytest.mark.parametrize(("operation", "parameters", "value", "constraint"), CASES, ids=lambda part: str(part)[:24])
def test_violations_in_awss_words(operation: str, parameters: dict[str, Any], value: str, constraint: str) -> None:
    fault = refusal("cloudtrail", operation, parameters)
    assert (fault.code, fault.status) == ("ValidationException", 400)
    assert fault.message == (
        f"1 validation error detected: {value} failed to satisfy constraint: Member must {constraint}"
    )


def test_several_violations_are_counted() -> None:
    fault = refusal("sts", "AssumeRole", {"DurationSeconds": 1})
    assert fault.code == "ValidationError"
    assert fault.message.startswith("3 validation errors detected: Value null at 'roleArn' failed")


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "code"),
    [
        ("logs", "CreateLogGroup", "json", "InvalidParameterException"),
        ("cloudwatch", "PutMetricAlarm", "query", "ValidationError"),
        ("cloudwatch", "PutMetricAlarm", "smithy-rpc-v2-cbor", "ValidationError"),
        ("config", "PutConfigurationRecorder", "json", "ValidationException"),
        ("sns", "CreateTopic", "query", "ValidationError"),
        ("sqs", "SendMessage", "json", "MissingParameter"),
        ("ec2", "TerminateInstances", "ec2", "MissingParameter"),
    ],
)
def test_each_service_has_its_code(service: str, operation: str, protocol: str, code: str) -> None:
    assert refusal(service, operation, {}, protocol).code == code


def test_ec2_names_the_parameter_as_it_was_sent() -> None:
    fault = refusal("ec2", "TerminateInstances", {})
    assert fault.message == "The request must contain the parameter InstanceId"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"MaxResults": "5"}, "STRING_VALUE can not be converted to Integer"),
        ({"MaxResults": True}, "TRUE_VALUE can not be converted to Integer"),
        ({"MaxResults": 2**31}, "NUMBER_VALUE can not be converted to Integer"),
        ({"MaxResults": 10**5000}, "NUMBER_VALUE can not be converted to Integer"),
        ({"NextToken": 5}, "NUMBER_VALUE can not be converted to String"),
        ({"NextToken": {}}, "Start of structure or map found where not expected."),
        ({"LookupAttributes": "x"}, "Unexpected field type"),
        ({"StartTime": "x"}, "STRING_VALUE can not be converted to Date"),
        ([], "Start of list found where not expected"),
    ],
)
def test_wrong_types_are_serialization_errors(parameters: Any, message: str) -> None:
    fault = refusal("cloudtrail", "LookupEvents", parameters)
    assert (fault.code, fault.message) == ("SerializationException", message)


def test_secrets_are_not_repeated() -> None:
    fault = refusal("iam", "CreateLoginProfile", {"UserName": "me", "Password": "p" * 200})
    assert "Value at 'password' failed" in fault.message
    assert "ppp" not in fault.message


def test_long_values_and_many_violations_are_cut() -> None:
    tags = [{"Key": "k" * 100_000}] * 1000
    fault = refusal("cloudtrail", "AddTags", {"ResourceId": "r", "TagsList": tags})
    assert len(fault.message) < 30_000


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudtrail", "PutEventSelectors"),
        ("ssm", "PutParameter"),
        ("cloudwatch", "PutMetricData"),
        ("events", "PutTargets"),
        ("iam", "CreateRole"),
    ],
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_the_values_are_it_is_a_fault_or_nothing(service: str, operation: str, data: st.DataObject) -> None:
    model = operation_model(service, operation)
    parameters = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(model.input_shape.members, NESTED)))
    assert status(service, model, parameters) in (200, 400)


def test_deep_nesting_of_a_recursive_shape_is_refused() -> None:
    value: dict[str, Any] = {"Dimensions": {"Key": "SERVICE", "Values": ["x"]}}
    for _ in range(5000):
        value = {"Not": value}
    parameters = {
        "TimePeriod": {"Start": "2026-01-01", "End": "2026-01-02"},
        "Granularity": "DAILY",
        "Metrics": ["x"],
        "Filter": value,
    }
    fault = refusal("ce", "GetCostAndUsage", parameters)
    assert "nested more than 64 levels" in fault.message


def unchecked_patterns(service_model: Any) -> dict[str, str]:
    """The shapes of a service whose pattern is not enforced, because RE2 cannot run it."""
    shapes = ((name, service_model.shape_for(name)) for name in service_model.shape_names)
    patterns = {name: shape.metadata["pattern"] for name, shape in shapes if "pattern" in shape.metadata}
    return {name: pattern for name, pattern in patterns.items() if compiled_pattern(pattern) is None}


@pytest.mark.parametrize("service", ["cloudtrail", "config", "logs", "cloudwatch", "sns", "sts", "organizations"])
def test_every_pattern_of_our_services_runs(service: str) -> None:
    assert unchecked_patterns(service_model(service)) == {}


def test_patterns_that_cannot_run_are_listed() -> None:
    assert list(unchecked_patterns(service_model("iam"))) == ["accountAliasType"]


def test_members_that_the_operation_judges_are_held_for_their_types_alone() -> None:
    history = operation_model("config", "GetResourceConfigHistory")
    validate("config", history, {"resourceType": "Acme::Data::Store", "resourceId": "s"}, judged=("resourceType",))
    with pytest.raises(Fault, match="Value null at 'resourceType'"):
        validate("config", history, {"resourceId": "s"}, judged=("resourceType",))
    with pytest.raises(Fault, match="SerializationException"):
        validate("config", history, {"resourceType": 1, "resourceId": "s"}, judged=("resourceType",))


def test_a_null_in_a_list_that_the_operation_judges_never_reaches_it() -> None:
    batch = operation_model("config", "BatchGetResourceConfig")
    with pytest.raises(Fault, match=r"1 validation error detected: Value null at 'resourceKeys\.2\.member'"):
        validate("config", batch, {"resourceKeys": [{}, None]}, judged=("resourceKeys",))
