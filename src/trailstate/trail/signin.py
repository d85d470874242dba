"""The record of a console sign-in, as CloudTrail writes it.

CloudTrail user guide, "AWS Management Console sign-in events". A failure has an errorMessage and never an errorCode;
the name of nobody is hidden, because people type passwords into that field. Root signs in in us-east-1, a user in the
Region that was asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailstate.trail.identity import seconds
from trailstate.trail.record import EVENT_VERSION

ROOT_REGION = "us-east-1"
FAILED = "Failed authentication"
NOBODY = "No username found in supplied account"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
CONSOLE = "https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody signing in. `user_name` None: root."""

    account: str
    user_name: str | None
    region: str
    source_address: str
    user_agent: str
    event_id: str
    now: datetime

    @property
    def place(self) -> str:
        """The Region whose record it is."""
        return ROOT_REGION if self.user_name is None else self.region


def record(
    attempt: Attempt, *, principal_id: str | None, arn: str, error: str | None, device: str | None
) -> dict[str, Any]:
    """One record. `principal_id` None: the account has no such user; `device`: the MFA device that was asked for."""
    mfa = {"MFAIdentifier": device, "MFAUsed": "Yes"} if device else {"MFAUsed": "No"}
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": _identity(attempt, principal_id, arn, succeeded=error is None),
        "eventTime": seconds(attempt.now),
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": attempt.place,
        "sourceIPAddress": attempt.source_address,
        "userAgent": attempt.user_agent[:1024],
        **({"errorMessage": error} if error else {}),
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Failure" if error else "Success"},
        "additionalEventData": {"LoginTo": CONSOLE, "MobileVersion": "No", **mfa},
        "eventID": attempt.event_id,
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": attempt.account,
        "eventCategory": "Management",
    }


def _identity(attempt: Attempt, principal_id: str | None, arn: str, *, succeeded: bool) -> dict[str, Any]:
    account = {"accountId": attempt.account}
    if attempt.user_name is None:
        return {"type": "Root", "principalId": principal_id, "arn": arn, **account, "accessKeyId": ""}
    if principal_id is None:
        return {"type": "IAMUser", **account, "accessKeyId": "", "userName": HIDDEN}
    named = {"userName": attempt.user_name}
    if succeeded:
        return {"type": "IAMUser", "principalId": principal_id, "arn": arn, **account, **named}
    return {"type": "IAMUser", "principalId": principal_id, **account, "accessKeyId": "", **named}
