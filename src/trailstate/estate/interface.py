"""The AWS that is watched: something that answers requests, and knows whose credentials it handed out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from trailstate.wire.call import Principal, WireRequest, WireResponse


class EstateUnavailable(Exception):
    """The estate gave no answer (it is starting again, or died over this request). The message says which; `applied`
    says whether the request can have had an effect."""

    def __init__(self, message: str, *, applied: bool) -> None:
        super().__init__(message)
        self.applied = applied


class EstateMissing(Exception):
    """The estate cannot be had on this machine; the message says what to install."""


class EstateUnsupported(Exception):
    """The estate knows no such operation."""


class EstateFailed(Exception):
    """The estate broke over this request; the message is for the operator's log, never for the client."""


@dataclass(frozen=True, slots=True)
class EstateRequest:
    """One request for the estate, in the order the house decided.

    `now` is the time the estate is to believe; `seed` feeds whatever it draws at random.
    """

    request: WireRequest
    service: str
    operation: str
    account: str
    region: str
    now: datetime
    seed: int
    bucket: str = ""
    """The S3 bucket that the Host header named, when it is not in the path."""
    principal: Principal | None = None
    """Who makes the call: whom GetSessionToken and GetFederationToken hand a credential to."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What the estate knows of an access key it handed out.

    `kind` is the CloudTrail userIdentity type. `policies` are reserved for authorisation.
    """

    access_key_id: str
    kind: str
    account: str
    principal_id: str
    arn: str
    user_name: str | None = None
    secret: str | None = None
    token: str | None = None
    issuer: Mapping[str, str] | None = None
    """type, principalId, arn, accountId, userName of the role (or user) behind a session."""
    created: datetime | None = None
    mfa: bool = False
    source_identity: str | None = None
    web_identity: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What a console sign-in is checked against. `password` None: the user has no login profile."""

    principal_id: str
    arn: str
    password: str | None
    devices: Mapping[str, str]
    """Serial number of each virtual MFA device -> its seed in base 32."""
    must_change: bool = False
    """The password opens nothing but the page on which it is changed."""


def nothing() -> None:
    """There is nothing to do meanwhile."""


class Estate(Protocol):
    """One at a time: `handle` never runs two requests at once in a simulated estate."""

    def handle(self, request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:
        """The estate's own answer. Raises EstateUnavailable, EstateUnsupported or EstateFailed. An estate that works
        beside us calls `meanwhile` once while it does; others need not."""

    def credential(self, access_key_id: str) -> Credential | None:
        """The facts behind an access key; None when the estate never issued it."""

    def login(self, account: str, user_name: str | None) -> Login | None:
        """What a user, or without a name the root user, signs in with; None when the estate knows nobody of the name.
        Of the root user it knows the devices alone."""

    def reset(self) -> None:
        """Forget everything (a test asks for it)."""

    def close(self) -> None: ...
