"""A role taken on by a service of the house: real credentials from STS, through the front door, so that it is recorded.

What works under a role (a function, a step of an automation) is then its session, and appears in the trail as that.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trailstate.values.arn import account_of_arn
from trailstate.wire.call import Door, Principal, Session, SessionIssuer, service_principal
from trailstate.world import World

SESSION_NAME_CHARACTERS_MAX = 64
RENEW_BEFORE = timedelta(minutes=5)
SESSIONS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class RoleSession:
    """Who somebody is under a role, and until when."""

    principal: Principal
    credentials: Credentials
    expires: datetime


class Roles:
    """Sessions of roles by role and session name, renewed before they expire. Safe from any thread."""

    def __init__(self, door: Door, world: World) -> None:
        self._door = door
        self._world = world
        self._lock = threading.Lock()
        self._sessions: OrderedDict[tuple[str, str, str], RoleSession] = OrderedDict()

    def session(self, service: str, role_arn: str, name: str, *, account: str, region: str) -> RoleSession:
        """The role's session for a service (`ssm.amazonaws.com`); raises the Fault with which STS refuses it."""
        key = (service, role_arn, name)
        with self._lock:
            known = self._sessions.get(key)
        if known is not None and known.expires - RENEW_BEFORE > self._world.now():
            return known
        made = self._assume(service, role_arn, name, account, region)
        with self._lock:
            self._sessions[key] = made
            while len(self._sessions) > SESSIONS_MAX:
                self._sessions.popitem(last=False)
        return made

    def is_ours(self, access_key_id: str | None) -> bool:
        """Whether the key was taken for work of the house: a step of an automation, or a function."""
        with self._lock:
            return any(each.credentials.access_key_id == access_key_id for each in self._sessions.values())

    def forget(self) -> None:
        """The estate that handed the credentials out is another one now."""
        with self._lock:
            self._sessions.clear()

    def _assume(self, service: str, role_arn: str, name: str, account: str, region: str) -> RoleSession:
        parameters = {"RoleArn": role_arn, "RoleSessionName": name[:SESSION_NAME_CHARACTERS_MAX]}
        by = service_principal(service, account)
        answer = self._door.call("sts", "AssumeRole", parameters, account=account, region=region, as_=by)
        given, user = answer["Credentials"], answer["AssumedRoleUser"]
        owner = account_of_arn(role_arn) or account
        issuer_id = str(user["AssumedRoleId"]).partition(":")[0]
        issuer = SessionIssuer("Role", issuer_id, role_arn, owner, role_arn.rpartition("/")[2])
        principal = Principal(
            type="AssumedRole",
            account=owner,
            principal_id=user["AssumedRoleId"],
            arn=user["Arn"],
            access_key_id=given["AccessKeyId"],
            session=Session(created=self._world.now(), issuer=issuer),
            invoked_by=service,
        )
        credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return RoleSession(principal, credentials, _aware(given["Expiration"]))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
