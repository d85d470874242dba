"""Network activity events: what stands in them, and which calls have one."""

from datetime import UTC, datetime

from trailstate.trail.network import network_event
from trailstate.wire.call import Call, Principal, WireRequest

NOON = datetime(2026, 1, 15, 12, 0, 5, tzinfo=UTC)
ALICE = Principal("IAMUser", "111122223333", "AIDA1", "arn:aws:iam::111122223333:user/alice", "alice", "AKIA1")


def a_call(host: str) -> Call:
    return Call(
        service="kms",
        operation="Decrypt",
        parameters={"CiphertextBlob": b"secret"},
        account="111122223333",
        region="us-east-1",
        principal=ALICE,
        source_address="10.0.0.7",
        user_agent="aws-cli/2",
        request_id="r-1",
        event_id="66666666-7777-4888-9999-aaaaaaaaaaaa",
        now=NOON,
        request=WireRequest("POST", "/", ()),
        host=host,
    )


def test_a_call_through_an_endpoint_has_a_second_event_without_parameters() -> None:
    event = network_event(a_call("vpce-1a2b3c4d-5e6f.kms.us-east-1.vpce.amazonaws.com"))
    assert event is not None
    assert event["eventID"] != "66666666-7777-4888-9999-aaaaaaaaaaaa"
    assert {name: value for name, value in event.items() if name not in ("eventID", "sharedEventID")} == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDA1",
            "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": "111122223333",
            "accessKeyId": "AKIA1",
            "userName": "alice",
        },
        "eventTime": "2026-01-15T12:00:05Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "10.0.0.7",
        "requestID": "r-1",
        "eventType": "AwsVpceEvent",
        "recipientAccountId": "111122223333",
        "vpcEndpointId": "vpce-1a2b3c4d",
        "vpcEndpointAccountId": "111122223333",
        "eventCategory": "NetworkActivity",
    }


def test_any_other_call_has_none() -> None:
    assert network_event(a_call("kms.us-east-1.amazonaws.com")) is None
