"""How evidence comes into a trail's bucket: as CloudTrail's own call, never over anything that stands there.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html

The bucket's policy must let `cloudtrail.amazonaws.com` put the object, as at AWS. The put asks that nothing stand under
the key; if something does, it is compared: the same bytes mean that an earlier attempt succeeded and its answer was
lost, other bytes are somebody's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.trail.status import key_of_arn
from trailstate.trail.window import Lane
from trailstate.values.policy import MalformedPolicy, Policy, Question, allows, read_policy
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

SERVICE = "cloudtrail.amazonaws.com"
ACL = "bucket-owner-full-control"
POLICY_KEPT_SECONDS = 5.0
POLICIES_MAX = 1000


class Undelivered(Exception):
    """The object could not be put now; `code` is S3's, as LatestDeliveryError shows it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Occupied(Exception):
    """Another object stands under the key."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An object on its way into a trail's bucket."""

    bucket: str
    key: str
    body: bytes
    content_type: str = "application/json"
    kms_key: str = ""
    metadata: Mapping[str, str] | None = None

    def parameters(self) -> dict[str, Any]:
        encryption = {"ServerSideEncryption": "AES256"}
        if self.kms_key:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        return {
            "Bucket": self.bucket,
            "Key": self.key,
            "Body": self.body,
            "ACL": ACL,
            "ContentType": self.content_type,
            "ContentEncoding": "gzip",
            "IfNoneMatch": "*",
            "Metadata": dict(self.metadata or {}),
            **encryption,
        }


class Buckets:
    """The trails' buckets behind the front door. Safe from any thread."""

    def __init__(self, door: Door, world: World) -> None:
        self._door = door
        self._world = world
        self._policies: dict[tuple[str, str], tuple[float, Policy]] = {}

    def put(self, lane: Lane, parcel: Parcel) -> None:
        """The object stands in the bucket when this returns. Raises Undelivered or Occupied."""
        self._hold_policy(lane, parcel)
        try:
            self._call(lane, "PutObject", parcel.parameters())
        except Fault as refusal:
            if refusal.status != 412:
                raise Undelivered(refusal.code, refusal.message) from refusal
            self._compare(lane, parcel)

    def _compare(self, lane: Lane, parcel: Parcel) -> None:
        try:
            found = self._call(lane, "GetObject", {"Bucket": parcel.bucket, "Key": parcel.key})
        except Fault as refusal:
            raise Undelivered(refusal.code, refusal.message) from refusal
        if found.get("Body") != parcel.body:
            raise Occupied(f"another object stands under 's3://{parcel.bucket}/{parcel.key}'")

    def _call(self, lane: Lane, operation: str, parameters: dict[str, Any]) -> Mapping[str, Any]:
        owner = key_of_arn(lane.trail)
        principal = service_principal(SERVICE, owner.account)
        return self._door.call("s3", operation, parameters, account=owner.account, region=owner.region, as_=principal)

    def _hold_policy(self, lane: Lane, parcel: Parcel) -> None:
        """Undelivered unless the bucket lets CloudTrail put the object there."""
        resource = f"arn:aws:s3:::{parcel.bucket}/{parcel.key}"
        context = {
            "s3:x-amz-acl": ACL,
            "aws:SourceArn": lane.trail,
            "aws:SourceAccount": key_of_arn(lane.trail).account,
            "aws:SecureTransport": "true",
        }
        if not allows(self._policy(lane, parcel.bucket), Question("s3:PutObject", resource, SERVICE, context=context)):
            raise Undelivered(
                "AccessDenied", f"the policy of '{parcel.bucket}' does not let {SERVICE} put '{resource}'"
            )

    def _policy(self, lane: Lane, bucket: str) -> Policy:
        place, now = (lane.trail, bucket), self._world.monotonic()
        kept = self._policies.get(place)
        if kept is not None and now < kept[0]:
            return kept[1]
        if len(self._policies) >= POLICIES_MAX:
            self._policies.clear()
        try:
            policy = read_policy(str(self._call(lane, "GetBucketPolicy", {"Bucket": bucket})["Policy"]))
        except Fault as refusal:
            code = "AccessDenied" if refusal.code == "NoSuchBucketPolicy" else refusal.code
            raise Undelivered(code, refusal.message) from refusal
        except MalformedPolicy as error:
            raise Undelivered("AccessDenied", str(error)) from error
        self._policies[place] = (now + POLICY_KEPT_SECONDS, policy)
        return policy
