"""Which selectors a trail may have: defaults, limits, and each of AWS's rules with what breaks it."""

import re
from typing import Any

import pytest

from trailstate.trail.selector_rules import InvalidSelectors, advanced_selectors, basic_selectors
from trailstate.trail.selectors import VALUES_OF
from trailstate.trail.tables import table

MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}
NETWORK = {"Field": "eventCategory", "Equals": ["NetworkActivity"]}
OBJECTS = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}
KMS = {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}


def objects(*values: str) -> dict[str, Any]:
    return {"DataResources": [{"Type": "AWS::S3::Object", "Values": list(values)}]}


def test_defaults_are_filled_in() -> None:
    assert basic_selectors([{"ReadWriteType": "ReadOnly"}]) == [
        {
            "ReadWriteType": "ReadOnly",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]


@pytest.mark.parametrize(
    "selectors",
    [
        [{}] * 5,
        [objects("arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::b/", "arn:aws:s3:::b/prefix")],
        [{"DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]}],
        [{"DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb:eu-west-1:1:table/t"]}]}],
        [{"ExcludeManagementEventSources": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}],
        [objects(*(f"arn:aws:s3:::b/{number}" for number in range(250)), "arn:aws:s3")],
        [{"DataResources": [{"Type": "AWS::S3::Object"}]}],
    ],
)
def test_basic_selectors_that_a_trail_may_have(selectors: list[dict[str, Any]]) -> None:
    assert len(basic_selectors(selectors)) == len(selectors)


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        ([], "1 to 5"),
        ([{}] * 6, "has 6"),
        (
            [{"IncludeManagementEvents": False}],
            "When includeManagementEvents is false, DataResources must not be empty",
        ),
        ([objects("arn:aws:s3:::*")], "Value arn:aws:s3:::* for DataResources.Values is invalid."),
        ([objects("arn:aws:s3:::bucket")], "for DataResources.Values is invalid."),
        ([objects("bucket/")], "for DataResources.Values is invalid."),
        ([{"DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda:*"]}]}], "arn:aws:lambda:*"),
        ([{"DataResources": [{"Type": "AWS::SNS::Topic", "Values": []}]}], "AWS::SNS::Topic for DataResources.Type"),
        ([{"DataResources": [{"Values": []}]}], "for DataResources.Type"),
        ([{"ExcludeManagementEventSources": ["ec2.amazonaws.com"]}], "ec2.amazonaws.com"),
        ([objects(*(f"arn:aws:s3:::b/{number}" for number in range(126)))] * 2, "names 252"),
    ],
)
def test_basic_selectors_that_a_trail_may_not_have(selectors: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InvalidSelectors, match=re.escape(said)):
        basic_selectors(selectors)


def field(name: str, **how: list[str]) -> dict[str, Any]:
    return {"Field": name, **how}


@pytest.mark.parametrize(
    "fields",
    [
        [MANAGEMENT],
        [MANAGEMENT, field("readOnly", Equals=["true"]), field("eventSource", NotEquals=["kms.amazonaws.com"])],
        [DATA, OBJECTS, field("eventName", StartsWith=["Get"], NotEquals=["GetObjectAcl"])],
        [DATA, OBJECTS, field("resources.ARN", NotStartsWith=["arn:aws:s3:::logs/"])],
        [
            DATA,
            OBJECTS,
            field("userIdentity.arn", EndsWith=["/ana"]),
            field("eventType", NotEquals=["AwsServiceEvent"]),
        ],
        [DATA, OBJECTS, field("sessionCredentialFromConsole", NotEquals=["true"])],
        [NETWORK, KMS, field("errorCode", Equals=["VpceAccessDenied"]), field("vpcEndpointId", Equals=["vpce-1"])],
        [DATA, OBJECTS, field("eventName", Equals=[str(number) for number in range(498)])],
    ],
)
def test_advanced_selectors_that_a_trail_may_have(fields: list[dict[str, Any]]) -> None:
    selector = {"Name": "mine", "FieldSelectors": fields}
    assert advanced_selectors([selector]) == [selector]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([OBJECTS], "requires the field eventCategory"),
        ([MANAGEMENT, MANAGEMENT], "requires the field eventCategory"),
        ([field("eventCategory", Equals=["Management", "Data"])], "requires the field eventCategory"),
        ([field("eventCategory", Equals=["Insight"])], "Value Insight for eventCategory"),
        ([DATA], "requires the field resources.type"),
        ([DATA, OBJECTS, OBJECTS], "resources.type stands more than once"),
        ([DATA, field("resources.type", Equals=["AWS::S3::Object", "AWS::SNS::Topic"])], "takes one value"),
        ([DATA, field("resources.type", Equals=["AWS::S3::Objects"])], "Value AWS::S3::Objects for resources.type"),
        ([DATA, field("resources.type", StartsWith=["AWS::S3"])], "resources.type takes Equals"),
        ([NETWORK], "requires the field eventSource"),
        ([NETWORK, KMS, field("errorCode", Equals=["AccessDenied"])], "Value AccessDenied for errorCode"),
        ([NETWORK, KMS, field("readOnly", Equals=["true"])], "readOnly is invalid"),
        ([MANAGEMENT, field("eventName", Equals=["RunInstances"])], "eventName is invalid"),
        ([MANAGEMENT, field("eventSource", Equals=["kms.amazonaws.com"])], "eventSource takes NotEquals"),
        ([MANAGEMENT, field("eventSource", NotEquals=["ec2.amazonaws.com"])], "Value ec2.amazonaws.com"),
        ([MANAGEMENT, field("readOnly", Equals=["yes"])], "Value yes for readOnly"),
        ([MANAGEMENT, field("readOnly")], "found none"),
        ([DATA, OBJECTS, field("eventName", Equals=[str(number) for number in range(499)])], "has 501"),
    ],
)
def test_advanced_selectors_that_a_trail_may_not_have(fields: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InvalidSelectors, match=re.escape(said)):
        advanced_selectors([{"FieldSelectors": fields}])


def test_every_field_that_may_be_named_can_be_asked_of_a_record() -> None:
    named = {name for fields in table("selectors")["fields"].values() for name in fields}
    assert named - {"eventCategory", "resources.type"} == set(VALUES_OF)
