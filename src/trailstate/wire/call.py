"""What passes through the house: a wire request, the call it means, its outcome, and the door it enters by."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

JSON = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
"""Header lines in the order sent; names in lower case, values as latin-1 text."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request as it came: nothing decoded, nothing normalised."""

    method: str
    target: str
    """The request target as sent: raw path, and `?` with the raw query string if there was one."""
    headers: Headers
    body: bytes = b""
    """The body, when it fits in memory (1 MiB); otherwise empty, and `body_file` holds it."""
    body_file: BinaryIO | None = None
    body_size: int = 0
    body_sha256: str = ""
    """Of the body as sent, in hexadecimal, when `body` was inflated on the way in: a signature covers that one."""
    source_address: str = "127.0.0.1"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The first value under a lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def content(self, bytes_max: int) -> bytes:
        """The body, up to `bytes_max` of it, wherever it is kept; for bodies that are documents, not a user's bytes."""
        if self.body_file is None:
            return self.body[:bytes_max]
        return os.pread(self.body_file.fileno(), min(bytes_max, self.body_size), 0)


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One HTTP response, ready to send."""

    status: int
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class SessionIssuer:
    """Who stands behind a temporary credential (CloudTrail's `sessionIssuer`)."""

    type: str
    principal_id: str
    arn: str
    account: str
    user_name: str


@dataclass(frozen=True, slots=True)
class Session:
    """What CloudTrail's `sessionContext` says about a temporary credential."""

    created: datetime
    mfa_authenticated: bool = False
    issuer: SessionIssuer | None = None
    web_identity: Mapping[str, Any] | None = None
    """`federatedProvider` and `attributes`, for AssumeRoleWithWebIdentity."""
    source_identity: str | None = None
    ec2_role_delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a call: the facts behind CloudTrail's `userIdentity`.

    `type` is CloudTrail's: Root, IAMUser, AssumedRole, FederatedUser, WebIdentityUser, SAMLUser,
    AWSAccount, AWSService, Unknown.
    """

    type: str
    account: str
    principal_id: str = ""
    arn: str = ""
    user_name: str | None = None
    access_key_id: str | None = None
    session: Session | None = None
    invoked_by: str | None = None
    """A service's name, e.g. `cloudtrail.amazonaws.com`, when a service makes the call."""
    identity_provider: str | None = None
    source_arn: str = ""
    """The resource for which a service makes the call, as policies see it in `aws:SourceArn`."""


def service_principal(name: str, account: str = "", source_arn: str = "") -> Principal:
    """AWS's own work, e.g. `cloudtrail.amazonaws.com` delivering a log file for the trail `source_arn`."""
    return Principal(type="AWSService", account=account, invoked_by=name, source_arn=source_arn)


@dataclass(frozen=True, slots=True)
class Call:
    """One API call, understood: who wants what done, where, and when.

    `parameters` are the operation's input members in the API's own spelling; bytes for blobs, aware
    datetimes for timestamps.
    """

    service: str
    """botocore's service name: `ec2`, `cloudwatch`, `cloudtrail`."""
    operation: str
    """The API's operation name: `RunInstances`."""
    parameters: Mapping[str, Any]
    account: str
    region: str
    principal: Principal
    source_address: str
    user_agent: str
    request_id: str
    event_id: str
    now: datetime
    request: WireRequest
    protocol: str = "json"
    """json, query, ec2, rest-json, rest-xml or smithy-rpc-v2-cbor."""
    host: str = ""
    tls: Mapping[str, str] | None = None
    """`tlsVersion` and `cipherSuite`, when the client came over TLS."""
    signature: str = "SigV4"
    """How it was authenticated, as S3 reports it: SigV4, SigV2, or empty for an anonymous call."""
    virtual_bucket: str = ""
    """The S3 bucket that the Host named, when it is not in the path."""
    authentication: str = "AuthHeader"
    """AuthHeader or QueryString (presigned)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call did not succeed: the service's code, its message, and the HTTP status."""

    code: str
    message: str
    status: int = 400
    quotes: bool = True
    """Whether the message may repeat what the caller sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    `result` holds the output members in the API's spelling, without `ResponseMetadata`; None when
    nobody needed it read (a read-only call whose record shows no response).
    """

    response: WireResponse
    result: Mapping[str, Any] | None = None
    failure: Failure | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    """Said of the call in `additionalEventData`, e.g. that its effect was not applied."""


class Door(Protocol):
    """The one way in for the house's own work: recorded and authorised like any other call."""

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        """The operation's output; raises `wire.fault.Fault` when the call fails."""
