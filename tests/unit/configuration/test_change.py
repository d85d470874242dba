"""The difference as AWS's messages tell it, held against published notifications."""

from datetime import UTC, datetime
from typing import Any

from trailstate.configuration.change import item_diff
from trailstate.configuration.delivery import history_key, oversized_key, snapshot_key
from trailstate.configuration.notice import subject
from trailstate.configuration.recorder import Home

HOME = Home("123456789012", "us-east-2")


def item(**members: Any) -> dict[str, Any]:
    usual = {
        "configurationItemStatus": "OK",
        "relationships": [],
        "tags": {},
        "configuration": {},
        "supplementaryConfiguration": {},
    }
    return usual | members


def test_properties_are_named_by_their_path_with_capitals() -> None:
    diff = item_diff(item(configuration={"state": {"name": "on"}}), item(configuration={"state": {"name": "off"}}))
    assert diff == {
        "changedProperties": {
            "Configuration.State.Name": {"previousValue": "on", "updatedValue": "off", "changeType": "UPDATE"}
        },
        "changeType": "UPDATE",
    }


def test_elements_of_a_list_go_and_come_whole() -> None:
    before, after = {"groupId": "sg-1"}, {"groupId": "sg-2"}
    diff = item_diff(item(configuration={"groups": [before]}), item(configuration={"groups": [after]}))
    assert diff["changedProperties"] == {
        "Configuration.Groups.0": {"previousValue": before, "updatedValue": None, "changeType": "DELETE"},
        "Configuration.Groups.1": {"previousValue": None, "updatedValue": after, "changeType": "CREATE"},
    }


def test_tags_are_numbered_by_the_order_of_their_keys() -> None:
    diff = item_diff(item(tags={"Name": "a", "aws:x": "b"}), item(tags={"Name": "a", "aws:x": "b", "test": "me"}))
    assert list(diff["changedProperties"]) == ["Tags.2"]


def test_of_what_is_new_no_properties_are_named() -> None:
    created = item(configurationItemStatus="ResourceDiscovered", configuration={"a": 1})
    assert item_diff(None, created) == {"changedProperties": {}, "changeType": "CREATE"}


def test_of_what_is_gone_everything_went() -> None:
    gone = item(configurationItemStatus="ResourceDeleted", configuration=None)
    diff = item_diff(item(configuration={"a": 1}), gone)
    assert diff["changeType"] == "DELETE"
    assert diff["changedProperties"]["Configuration"]["previousValue"] == {"a": 1}


# ---- keys and subjects: the examples of the developer guide ----

NOON = datetime(2016, 9, 27, 18, 39, 39, tzinfo=UTC)


def test_a_snapshots_key() -> None:
    assert snapshot_key({}, HOME, NOON, "16da64e4-cb65-4846-b061-e6c3ba43cb96") == (
        "AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/123456789012_Config_us-east-2_ConfigSnapshot_"
        "20160927T183939Z_16da64e4-cb65-4846-b061-e6c3ba43cb96.json.gz"
    )


def test_a_history_files_key() -> None:
    only = {"resourceType": "AWS::CloudTrail::Trail", "configurationItemCaptureTime": "2016-09-27T19:58:18.000Z"}
    assert history_key({}, HOME, [only], NOON) == (
        "AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigHistory/123456789012_Config_us-east-2_ConfigHistory_"
        "AWS::CloudTrail::Trail_20160927T195818Z_20160927T195818Z_1.json.gz"
    )


def test_the_key_of_an_item_too_large_for_a_message() -> None:
    large = {"resourceType": "AWS::EC2::Instance", "resourceId": "i-1"}
    assert oversized_key({"s3KeyPrefix": "mine"}, HOME, large, NOON) == (
        "mine/AWSLogs/123456789012/Config/us-east-2/2016/9/27/OversizedChangeNotification/AWS::EC2::Instance/i-1/"
        "123456789012_Config_us-east-2_ChangeNotification_AWS::EC2::Instance_i-1_20160927T183939Z_0.json.gz"
    )


def test_a_subject_is_cut_at_a_hundred_characters() -> None:
    words = "AWS::::Account 123456789012 is COMPLIANT with cloudtrail-enabled in Account 123456789012"
    assert subject(HOME, words) == (
        "[AWS Config:us-east-2] AWS::::Account 123456789012 is COMPLIANT with cloudtrail-enabled in Accoun..."
    )
