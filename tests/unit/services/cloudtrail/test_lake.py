"""CloudTrail Lake's queries over the built-in event data store."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trailstate import testing
from trailstate.testing import Lab
from trailstate.trail.channel import STORE_ID

ACCOUNT = "123456789012"
STORE = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:eventdatastore/{STORE_ID}"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        started.client("s3").create_bucket(Bucket="lake-answers")
        yield started


def run(lab: Lab, sql: str, **more: Any) -> str:
    name: str = lab.client("cloudtrail").start_query(QueryStatement=sql, **more)["QueryId"]
    lab.settle()
    return name


def ask(lab: Lab, sql: str) -> list[dict[str, str]]:
    answer = lab.client("cloudtrail").get_query_results(QueryId=run(lab, sql))
    assert answer["QueryStatus"] == "FINISHED", answer
    return [{name: value for pair in row for name, value in pair.items()} for row in answer["QueryResultRows"]]


def test_a_store_is_asked_by_its_id(lab: Lab) -> None:
    sql = (
        "SELECT eventName, userIdentity.arn AS who, element_at(requestParameters, 'bucketName') AS bucket"
        f" FROM {STORE_ID}"
        " WHERE eventTime > '2026-01-01 00:00:00' AND readOnly = false AND eventSource = 's3.amazonaws.com'"
    )
    who = f"arn:aws:iam::{ACCOUNT}:user/administrator"
    assert ask(lab, sql) == [{"eventname": "CreateBucket", "who": who, "bucket": "lake-answers"}]


def test_a_query_is_told_of_and_listed(lab: Lab) -> None:
    name = run(lab, f"SELECT count(*) AS n FROM {STORE_ID}", DeliveryS3Uri="s3://lake-answers/out")
    cloudtrail = lab.client("cloudtrail")
    told = cloudtrail.describe_query(QueryId=name)
    assert (told["QueryStatus"], told["DeliveryStatus"]) == ("FINISHED", "SUCCESS")
    assert told["DeliveryS3Uri"] == f"s3://lake-answers/out/{name}.csv"
    listed = cloudtrail.list_queries(EventDataStore=STORE, QueryStatus="FINISHED")["Queries"]
    assert name in {each["QueryId"] for each in listed}
    with pytest.raises(ClientError, match="has ended"):
        cloudtrail.cancel_query(QueryId=name)
    with pytest.raises(ClientError, match="was not found"):
        lab.client("athena").get_query_execution(QueryExecutionId=name)


REFUSED = {
    "SELECT 1": "InvalidQueryStatementException",
    f"DELETE FROM {STORE_ID}": "InvalidQueryStatementException",
    f"SELECT * FROM {STORE_ID}; SELECT 1": "InvalidQueryStatementException",
    "SELECT * FROM cloudtrail": "InvalidQueryStatementException",
    "SELECT * FROM 11111111-2222-4333-8444-555555555555": "EventDataStoreNotFoundException",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_cannot_be_asked_is_refused_at_once(lab: Lab, sql: str) -> None:
    with pytest.raises(ClientError) as refusal:
        lab.client("cloudtrail").start_query(QueryStatement=sql)
    assert refusal.value.response["Error"]["Code"] == REFUSED[sql]


def test_a_query_is_described_by_its_id(lab: Lab) -> None:
    for given in ({}, {"QueryAlias": "widget"}):
        with pytest.raises(ClientError, match="Expected a QueryId") as refusal:
            lab.client("cloudtrail").describe_query(**given)
        assert refusal.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_query_that_fails_says_why(lab: Lab) -> None:
    name = run(lab, f"SELECT nosuch FROM {STORE_ID}")
    answer = lab.client("cloudtrail").get_query_results(QueryId=name)
    assert answer["QueryStatus"] == "FAILED"
    assert "nosuch" in answer["ErrorMessage"]


def test_the_store_is_found_by_its_name(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    (listed,) = cloudtrail.list_event_data_stores()["EventDataStores"]
    assert listed == {"EventDataStoreArn": STORE, "Name": "trailstate"}
    found = cloudtrail.get_event_data_store(EventDataStore=listed["EventDataStoreArn"])
    assert (found["Status"], found["MultiRegionEnabled"], found["OrganizationEnabled"]) == ("ENABLED", True, False)
    with pytest.raises(ClientError, match="every account has one"):
        cloudtrail.get_event_data_store(EventDataStore=STORE.replace("0000", "0001"))
    with pytest.raises(ClientError, match="InvalidNextToken"):
        cloudtrail.list_event_data_stores(NextToken="more")
