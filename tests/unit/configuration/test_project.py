"""From raw answers to what items hold: the published schema decides."""

from datetime import UTC, datetime

from trailstate.configuration.form import Describe, Part, ResourceType
from trailstate.configuration.project import part_value, projection

LIST = Describe("ec2", "DescribeVolumes", at="Volumes[]")
VOLUME = ResourceType(name="AWS::EC2::Volume", listing=LIST, keeps=("Tags",))
TOPIC = ResourceType(name="AWS::SNS::Topic", listing=LIST)
BUCKET = ResourceType(name="AWS::S3::Bucket", listing=LIST)
ACCOUNT = ResourceType(name="AWS::::Account", listing=LIST)


def test_keys_take_the_schemas_casing_and_values_its_types() -> None:
    raw = {
        "VolumeId": "vol-1",
        "Size": "8",
        "Encrypted": "true",
        "CreateTime": datetime(2026, 1, 15, 9, 30, 0, 250_000, UTC),
        "Attachments": [{"InstanceId": "i-1", "DeleteOnTermination": True}],
    }
    assert projection(VOLUME).value(raw) == {
        "volumeId": "vol-1",
        "size": 8,
        "encrypted": True,
        "createTime": "2026-01-15T09:30:00.250Z",
        "attachments": [{"instanceId": "i-1", "deleteOnTermination": True}],
    }


def test_where_the_schema_wraps_a_value_it_is_wrapped() -> None:
    assert projection(VOLUME).value({"State": "in-use"}) == {"state": {"value": "in-use"}}


def test_what_the_schema_does_not_know_is_dropped_unless_it_is_kept() -> None:
    raw = {"VolumeId": "vol-1", "MadeUp": 1, "Tags": [{"Key": "team", "Value": "blue"}]}
    assert projection(VOLUME).value(raw) == {"volumeId": "vol-1", "tags": [{"key": "team", "value": "blue"}]}


def test_types_of_cloudformations_shape_keep_their_capitals() -> None:
    raw = {"TopicArn": "arn", "KmsMasterKeyId": "key", "SubscriptionsPending": "0"}
    assert projection(TOPIC).value(raw) == {"TopicArn": "arn", "KmsMasterKeyId": "key"}


def test_a_type_without_a_schema_keeps_everything() -> None:
    assert projection(ACCOUNT).value({"AccountId": "1", "Made": {"Up": [1]}}) == {"accountId": "1", "made": {"up": [1]}}


def test_a_part_is_projected_by_its_own_schema() -> None:
    part = Part("BucketVersioningConfiguration", LIST)
    assert part_value(BUCKET, part, {"Status": "Enabled", "Odd": 1}) == {"status": "Enabled"}


def test_a_part_may_be_json_in_a_string() -> None:
    part = Part("AccessControlList", LIST, shape=lambda answer: {"owner": answer}, plain=True, as_text=True)
    assert part_value(BUCKET, part, "me") == '{"owner":"me"}'


def test_projecting_twice_is_projecting_once() -> None:
    once = projection(VOLUME).value({"VolumeId": "vol-1", "Size": 8, "Attachments": []})
    assert projection(VOLUME).value(once) == once
