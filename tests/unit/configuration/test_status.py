"""A look that failed shows in the recorder's status, as DescribeConfigurationRecorderStatus tells it."""

from datetime import timedelta

from tests.unit.configuration.estate import HOME, House

from trailstate.services.config.recorder import describe_configuration_recorder_status
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.wire.fault import Fault


def status(house: House) -> dict:
    call = Call(
        service="config",
        operation="DescribeConfigurationRecorderStatus",
        parameters={},
        account=HOME.account,
        region=HOME.region,
        principal=Principal(type="IAMUser", account=HOME.account),
        source_address="198.51.100.7",
        user_agent="test",
        request_id="request-1",
        event_id="event-1",
        now=house.world.now(),
        request=WireRequest("POST", "/", ()),
    )
    answer = describe_configuration_recorder_status(call, StagedShelf(house.store))
    (told,) = answer["ConfigurationRecordersStatus"]
    return dict(told)


def test_a_failure_shows_with_its_code_until_a_look_succeeds() -> None:
    house = House()
    house.record(arn="arn:aws:config:us-east-1:111122223333:configuration-recorder/default/x", lastStartTime=START)
    assert status(house)["lastStatus"] == "PENDING"
    house.estate.faults["DescribeSecurityGroups"] = Fault("RequestLimitExceeded", "Request limit exceeded.", 503, "ec2")
    house.called("CreateSecurityGroup", responseElements={"groupId": "sg-1"})
    house.settle()
    told = status(house)
    assert (told["lastStatus"], told["lastErrorCode"]) == ("FAILURE", "RequestLimitExceeded")
    assert told["lastErrorMessage"].startswith("ec2 DescribeSecurityGroups failed")
    house.estate.faults.clear()
    house.world.advance(timedelta(minutes=1))
    house.settle()
    assert status(house)["lastStatus"] == "SUCCESS"


START = "2026-01-15T09:00:00Z"
