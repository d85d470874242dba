"""Event selectors: what AWS's pages say by example, and a slow reading of the same pages at random."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.trail.selectors import compile_selectors

Record = dict[str, Any]


def management(**members: Any) -> Record:
    return {
        "eventCategory": "Management",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "readOnly": False,
    } | members


def object_event(arn: str = "arn:aws:s3:::reports/2026/jan.csv", **members: Any) -> Record:
    bucket = {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::" + arn.removeprefix("arn:aws:s3:::").partition("/")[0]}
    return {
        "eventCategory": "Data",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "readOnly": True,
        "resources": [{"type": "AWS::S3::Object", "ARN": arn}, bucket],
    } | members


def basic(record: Record, *selectors: Any) -> bool:
    return compile_selectors(selectors, None)(record)


def advanced(record: Record, *selectors: dict[str, dict[str, list[str]]]) -> bool:
    """Each selector as {field: {operator: values}}."""
    written = [{"FieldSelectors": [{"Field": name, **how} for name, how in fields.items()]} for fields in selectors]
    return compile_selectors(None, written)(record)


def equals(*values: str) -> dict[str, list[str]]:
    return {"Equals": list(values)}


MANAGEMENT = {"eventCategory": equals("Management")}
OBJECTS = {"eventCategory": equals("Data"), "resources.type": equals("AWS::S3::Object")}


def test_an_empty_basic_selector_takes_management_events_and_no_data() -> None:
    assert basic(management(), {})
    assert not basic(object_event(), {})


def test_read_only_and_write_only_part_the_events() -> None:
    for kind, reads, writes in (("ReadOnly", True, False), ("WriteOnly", False, True), ("All", True, True)):
        assert basic(management(readOnly=True), {"ReadWriteType": kind}) is reads
        assert basic(management(readOnly=False), {"ReadWriteType": kind}) is writes


def test_excluded_sources_are_left_out() -> None:
    selector = {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    assert not basic(management(eventSource="kms.amazonaws.com"), selector)
    assert basic(management(), selector)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("arn:aws:s3", True),
        ("arn:aws:s3:::", True),
        ("arn:aws:s3:::reports/", True),
        ("arn:aws:s3:::reports/2026/", True),
        ("arn:aws:s3:::reports/2025/", False),
        ("arn:aws:s3:::report/", False),
    ],
)
def test_objects_are_chosen_by_prefix(value: str, taken: bool) -> None:
    selector = {"IncludeManagementEvents": False, "DataResources": [{"Type": "AWS::S3::Object", "Values": [value]}]}
    assert basic(object_event(), selector) is taken
    assert not basic(management(), selector)


def test_a_listing_is_an_event_of_the_prefix_it_asked_for() -> None:
    listing = object_event(
        eventName="ListObjects", resources=[{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::reports/"}]
    )
    assert basic(listing, {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::reports/"]}]})


def test_functions_are_chosen_by_their_whole_arn() -> None:
    arn = "arn:aws:lambda:us-west-2:111111111111:function:helloworld"
    invoke = {
        "eventCategory": "Data",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "Invoke",
        "readOnly": False,
        "resources": [{"type": "AWS::Lambda::Function", "ARN": arn + "2"}],
    }
    for value, taken in ((arn, False), (arn + "2", True), ("arn:aws:lambda", True)):
        assert basic(invoke, {"DataResources": [{"Type": "AWS::Lambda::Function", "Values": [value]}]}) is taken


def test_all_fields_of_an_advanced_selector_must_hold() -> None:
    both = MANAGEMENT | {"readOnly": equals("false"), "eventSource": {"NotEquals": ["kms.amazonaws.com"]}}
    assert advanced(management(), both)
    assert not advanced(management(readOnly=True), both)
    assert not advanced(management(eventSource="kms.amazonaws.com"), both)
    assert not advanced(object_event(), both)


def test_one_of_several_selectors_is_enough() -> None:
    assert advanced(object_event(), MANAGEMENT, OBJECTS)
    assert advanced(management(), MANAGEMENT, OBJECTS)


def test_selecting_conditions_are_alternatives_and_rejecting_ones_all_count() -> None:
    names = {"StartsWith": ["Get"], "EndsWith": ["Object"], "NotEquals": ["GetObjectAcl"], "NotStartsWith": ["Delete"]}
    selector = OBJECTS | {"eventName": names}
    taken = {
        name: advanced(object_event(eventName=name), selector)
        for name in ("GetObject", "PutObject", "GetObjectAcl", "DeleteObject", "ListParts")
    }
    assert taken == {
        "GetObject": True,
        "PutObject": True,
        "GetObjectAcl": False,
        "DeleteObject": False,
        "ListParts": False,
    }


def test_a_bucket_can_be_left_out() -> None:
    selector = OBJECTS | {"resources.ARN": {"NotStartsWith": ["arn:aws:s3:::logs/"]}}
    assert advanced(object_event(), selector)
    assert not advanced(object_event("arn:aws:s3:::logs/AWSLogs/x"), selector)


def test_a_record_without_the_field_meets_rejecting_conditions_only() -> None:
    network = {"eventCategory": "NetworkActivity", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt"}
    about = {"eventCategory": equals("NetworkActivity"), "eventSource": equals("kms.amazonaws.com")}
    denied = about | {"errorCode": equals("VpceAccessDenied")}
    assert advanced(network, about | {"vpcEndpointId": {"NotEquals": ["vpce-1"]}})
    assert not advanced(network, about | {"vpcEndpointId": equals("vpce-1")})
    assert not advanced(network, denied)
    assert advanced(network | {"errorCode": "VpceAccessDenied"}, denied)


def test_a_data_event_without_resources_is_known_by_its_operation() -> None:
    event = {"eventCategory": "Data", "eventSource": "sns.amazonaws.com", "eventName": "Publish", "readOnly": False}
    assert advanced(event, {"eventCategory": equals("Data"), "resources.type": equals("AWS::SNS::Topic")})
    assert not advanced(event, OBJECTS)


def test_the_console_and_the_caller_are_fields_too() -> None:
    record = object_event(
        sessionCredentialFromConsole="true", userIdentity={"arn": "arn:aws:iam::111111111111:user/ana"}
    )
    assert advanced(record, OBJECTS | {"sessionCredentialFromConsole": equals("true")})
    assert not advanced(object_event(), OBJECTS | {"sessionCredentialFromConsole": equals("true")})
    assert advanced(record, OBJECTS | {"userIdentity.arn": {"EndsWith": ["user/ana"]}})
    assert not advanced(object_event(), OBJECTS | {"userIdentity.arn": {"EndsWith": ["user/ana"]}})


# ---- the same pages read slowly: every sentence of the documentation one line, nothing prepared ----

OPERATORS = {
    "Equals": lambda value, given: value == given,
    "StartsWith": lambda value, given: value.startswith(given),
    "EndsWith": lambda value, given: value.endswith(given),
}


def slowly_basic(record: Record, selector: dict[str, Any]) -> bool:
    wanted = selector.get("ReadWriteType", "All")
    if (wanted == "ReadOnly" and not record["readOnly"]) or (wanted == "WriteOnly" and record["readOnly"]):
        return False
    if record["eventCategory"] == "Management":
        excluded = selector.get("ExcludeManagementEventSources", [])
        return bool(selector.get("IncludeManagementEvents", True)) and record["eventSource"] not in excluded
    for listed in selector.get("DataResources", []):
        for resource in record["resources"]:
            if record["eventCategory"] != "Data" or resource["type"] != listed["Type"]:
                continue
            for value in listed["Values"]:
                whole = value.count(":") < 4 and not value.endswith("/")
                if whole or (listed["Type"] == "AWS::S3::Object" and resource["ARN"].startswith(value)):
                    return True
                if resource["ARN"] == value:
                    return True
    return False


def slowly_field(record: Record, condition: dict[str, Any], about: str) -> bool:
    field = condition["Field"]
    if field == "resources.ARN":
        held = [resource["ARN"] for resource in record["resources"] if resource["type"] == about]
    elif field == "resources.type":
        return any(resource["type"] in condition["Equals"] for resource in record["resources"])
    elif field == "userIdentity.arn":
        held = [record["userIdentity"]["arn"]] if "arn" in record["userIdentity"] else []
    elif field == "readOnly":
        held = ["true" if record["readOnly"] else "false"]
    else:
        held = [record[field]] if field in record else []

    def met(value: str | None, operator: str) -> bool:
        return value is not None and any(OPERATORS[operator](value, given) for given in condition[operator])

    for value in held or [None]:
        positive = [met(value, operator) for operator in OPERATORS if operator in condition]
        negative = [
            value is not None and any(rule(value, given) for given in condition[f"Not{operator}"])
            for operator, rule in OPERATORS.items()
            if f"Not{operator}" in condition
        ]
        if (not positive or any(positive)) and not any(negative):
            return True
    return False


def slowly_advanced(record: Record, selector: dict[str, Any]) -> bool:
    fields = selector["FieldSelectors"]
    about = [each["Equals"][0] for each in fields if each["Field"] == "resources.type"]
    return all(slowly_field(record, each, about[0] if about else "") for each in fields)


ARNS = {
    "AWS::S3::Object": ["arn:aws:s3:::a/", "arn:aws:s3:::a/x", "arn:aws:s3:::a/xy", "arn:aws:s3:::b/x"],
    "AWS::Lambda::Function": [f"arn:aws:lambda:us-east-1:1:function:{name}" for name in ("f", "f2", "g")],
    "AWS::DynamoDB::Table": [f"arn:aws:dynamodb:us-east-1:1:table/{name}" for name in ("t", "t2")],
}
ALL = {
    "AWS::S3::Object": "arn:aws:s3",
    "AWS::Lambda::Function": "arn:aws:lambda",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb",
}
SOURCES = ["kms.amazonaws.com", "rdsdata.amazonaws.com", "ec2.amazonaws.com"]
NAMES = ["Get", "GetObject", "PutObject", "Put"]
CALLERS = ["arn:aws:iam::1:user/a", "arn:aws:iam::1:user/ab", "arn:aws:iam::1:role/a"]

a_resource = st.sampled_from(sorted(ARNS)).flatmap(
    lambda kind: st.builds(lambda arn: {"type": kind, "ARN": arn}, st.sampled_from(ARNS[kind]))
)
a_record = st.fixed_dictionaries(
    {
        "eventCategory": st.sampled_from(["Management", "Data", "NetworkActivity"]),
        "eventSource": st.sampled_from(SOURCES),
        "eventName": st.sampled_from(NAMES),
        "readOnly": st.booleans(),
        "resources": st.lists(a_resource, max_size=3),
        "userIdentity": st.one_of(st.just({}), st.builds(lambda arn: {"arn": arn}, st.sampled_from(CALLERS))),
    },
    optional={"errorCode": st.just("VpceAccessDenied"), "vpcEndpointId": st.sampled_from(["vpce-1", "vpce-2"])},
)
a_data_resource = st.sampled_from(sorted(ARNS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"Type": st.just(kind), "Values": st.lists(st.sampled_from([*ARNS[kind], ALL[kind]]), min_size=1, max_size=3)}
    )
)
a_basic_selector = st.fixed_dictionaries(
    {},
    optional={
        "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
        "IncludeManagementEvents": st.booleans(),
        "DataResources": st.lists(a_data_resource, max_size=3),
        "ExcludeManagementEventSources": st.lists(st.sampled_from(SOURCES[:2]), max_size=2),
    },
)


def a_condition(field: str, values: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=3)
    operators = [*OPERATORS, *(f"Not{operator}" for operator in OPERATORS)]
    how = st.dictionaries(st.sampled_from(operators), some, min_size=1, max_size=4)
    return how.map(lambda chosen: {"Field": field, **chosen})


def an_equality(field: str, values: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(values).map(lambda value: {"Field": field, "Equals": [value]})


further_fields = [
    a_condition("eventSource", [*SOURCES, "kms", "amazonaws.com"]),
    a_condition("eventName", [*NAMES, "Object", "P"]),
    a_condition("resources.ARN", [arn for arns in ARNS.values() for arn in arns]),
    a_condition("userIdentity.arn", [*CALLERS, "arn:aws:iam::1:user/", "a"]),
    a_condition("vpcEndpointId", ["vpce-1", "vpce-2", "vpce"]),
    an_equality("readOnly", ["true", "false"]),
    an_equality("errorCode", ["VpceAccessDenied"]),
]
an_advanced_selector = st.tuples(
    an_equality("eventCategory", ["Management", "Data", "NetworkActivity"]),
    st.lists(an_equality("resources.type", sorted(ARNS)), max_size=1),
    st.lists(st.one_of(further_fields), max_size=3),
).map(lambda parts: {"FieldSelectors": [parts[0], *parts[1], *parts[2]]})


@given(a_record, st.lists(a_basic_selector, max_size=3))
def test_basic_selectors_agree_with_a_slow_reading(record: Record, selectors: list[dict[str, Any]]) -> None:
    assert compile_selectors(selectors, None)(record) is any(slowly_basic(record, each) for each in selectors)


@given(a_record, st.lists(an_advanced_selector, max_size=3))
def test_advanced_selectors_agree_with_a_slow_reading(record: Record, selectors: list[dict[str, Any]]) -> None:
    assert compile_selectors(None, selectors)(record) is any(slowly_advanced(record, each) for each in selectors)
