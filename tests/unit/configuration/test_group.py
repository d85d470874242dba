"""Recording groups: what is not said follows from what is, and contradictions are refused."""

from typing import Any

import pytest

from trailstate.configuration.form import Describe, ResourceType
from trailstate.configuration.group import recording_group, recording_mode
from trailstate.configuration.recorder import frequency, records
from trailstate.wire.fault import Fault

LIST = Describe("iam", "ListUsers", at="Users[]")
USER = ResourceType(name="AWS::IAM::User", listing=LIST, is_global=True)
VOLUME = ResourceType(name="AWS::EC2::Volume", listing=LIST)
ACCOUNT = ResourceType(name="AWS::::Account", listing=LIST)


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (None, [VOLUME]),
        ({"allSupported": True, "includeGlobalResourceTypes": True}, [USER, VOLUME]),
        ({"resourceTypes": ["AWS::IAM::User"]}, [USER]),
        ({"exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::Volume"]}}, [USER]),
        ({"recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}, [VOLUME]),
    ],
)
def test_a_group_says_which_types_are_recorded(given: dict[str, Any] | None, recorded: list[ResourceType]) -> None:
    recorder = {"recordingGroup": recording_group(given)}
    assert [each for each in (USER, VOLUME) if records(recorder, each)] == recorded
    assert records(recorder, ACCOUNT)


@pytest.mark.parametrize(
    "given",
    [
        {"allSupported": True, "resourceTypes": ["AWS::EC2::Volume"]},
        {"allSupported": False},
        {"resourceTypes": ["AWS::EC2::Volume"], "includeGlobalResourceTypes": True},
        {"recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}},
        {"recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}, "resourceTypes": ["AWS::EC2::Volume"]},
    ],
)
def test_a_group_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(Fault) as refused:
        recording_group(given)
    assert refused.value.code == "InvalidRecordingGroupException"


def test_an_override_comes_before_the_recorders_own_frequency() -> None:
    override = {"resourceTypes": ["AWS::EC2::Volume"], "recordingFrequency": "DAILY"}
    mode = recording_mode({"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [override]})
    assert frequency({"recordingMode": mode}, "AWS::EC2::Volume") == "DAILY"
    assert frequency({"recordingMode": mode}, "AWS::IAM::User") == "CONTINUOUS"
    with pytest.raises(Fault):
        recording_mode({"recordingFrequency": "DAILY", "recordingModeOverrides": [override, override]})
