from trailstate.wire.generate import TABLE, table
from trailstate.wire.services import by_query_version, by_signing_name, by_target_prefix, services


def test_the_table_is_current_for_the_installed_botocore() -> None:
    assert TABLE.read_bytes() == table(), "run: python -m trailstate.wire.generate"


def test_services_that_share_a_signing_name_stand_together_the_largest_first() -> None:
    assert [row.name for row in by_signing_name()["dynamodb"]] == ["dynamodb", "dynamodbstreams"]


def test_a_target_prefix_is_found_whole_and_by_its_last_part() -> None:
    whole = by_target_prefix()["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"]
    assert whole == by_target_prefix()["CloudTrail_20131101"]


def test_a_query_version_names_its_services() -> None:
    assert [row.name for row in by_query_version()["2010-05-08"]] == ["iam"]


def test_sqs_still_takes_the_query_protocol_of_old_clients() -> None:
    assert services()["sqs"].query_protocol == "query"
