"""Signing in to the console: an operator's page that checks who it is and records what came of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailstate.app.house import House, Part
from trailstate.estate.interface import EstateUnavailable, Login
from trailstate.gateway.operator import Operator, Page, PageError, json_response, read_object
from trailstate.identity.rootkeys import root_password
from trailstate.identity.signin import SignIns
from trailstate.trail import signin
from trailstate.trail.journal import Journal
from trailstate.trail.signin import ROOT_REGION, Attempt
from trailstate.values.arn import ACCOUNT
from trailstate.wire.call import Door, Principal, WireRequest, WireResponse
from trailstate.wire.fault import Fault
from trailstate.world import World

PATH = "/_trailstate/signin"
MEMBERS = frozenset({"account", "user", "password", "newPassword", "mfa", "region"})
MUST_CHANGE = "the password must be changed at this sign-in: give a new one as newPassword"
TEXT_CHARACTERS_MAX = 1024
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")
SURROGATE = re.compile("[\ud800-\udfff]")


def assemble(house: House) -> Part:
    settings, world = house.settings, house.world
    keys = settings.data / "keys"
    for account in settings.accounts:
        root_password(keys, account, world)
    console = Console(Journal(house.store), house.door, SignIns(), keys, world, settings.accounts, settings.region)
    return Part(pages={PATH: Page(("POST",), console.answer)})


@dataclass(frozen=True, slots=True)
class Console:
    """Where people sign in."""

    journal: Journal
    door: Door
    sign_ins: SignIns
    keys: Path
    world: World
    accounts: tuple[str, ...]
    region: str

    def answer(self, operator: Operator, request: WireRequest) -> WireResponse:
        """`ConsoleLogin` Success or Failure (401); either is recorded before it is answered. A sign-in that waits for a
        new password (403) is neither yet."""
        asked = self._asked(request)
        attempt = Attempt(
            account=asked.get("account", self.accounts[0]),
            user_name=asked.get("user"),
            region=asked.get("region", self.region),
            source_address=request.source_address,
            user_agent=request.header("user-agent") or "",
            event_id=self.world.uuid(),
            now=self.world.now(),
        )
        record = self._tried(attempt, self._login(operator, attempt), asked)
        self.journal.append([record])
        told = record["responseElements"] | {"eventID": record["eventID"], "awsRegion": record["awsRegion"]}
        error = record.get("errorMessage")
        return json_response(200, told) if error is None else json_response(401, told | {"error": error})

    def _asked(self, request: WireRequest) -> dict[str, str]:
        asked = read_object(request.body)
        unknown = sorted(set(asked) - MEMBERS)
        if unknown:
            raise PageError(400, f"expected {', '.join(sorted(MEMBERS))}; found {', '.join(unknown)[:200]}")
        for name, value in asked.items():
            if not isinstance(value, str) or not 1 <= len(value) <= TEXT_CHARACTERS_MAX or SURROGATE.search(value):
                raise PageError(400, f"expected {name!r} as text of 1 to {TEXT_CHARACTERS_MAX} characters")
        if not ACCOUNT.fullmatch(asked.get("account", self.accounts[0])):
            raise PageError(400, f"expected an account of twelve digits; found {asked['account'][:64]!r}")
        if not REGION.fullmatch(asked.get("region", self.region)):
            raise PageError(400, f"expected a Region such as us-east-1; found {asked['region'][:64]!r}")
        return asked

    def _login(self, operator: Operator, attempt: Attempt) -> Login | None:
        try:
            found = operator.login(attempt.account, attempt.user_name)
        except EstateUnavailable as error:
            raise PageError(503, str(error)) from error
        if attempt.user_name is not None:
            return found
        if attempt.account not in self.accounts:
            raise PageError(404, f"root of {attempt.account} cannot sign in here; expected {', '.join(self.accounts)}")
        nobody = Login(attempt.account, f"arn:aws:iam::{attempt.account}:root", None, {})
        return replace(found or nobody, password=root_password(self.keys, attempt.account, self.world))

    def _tried(self, attempt: Attempt, login: Login | None, asked: Mapping[str, str]) -> dict[str, Any]:
        if login is None:
            return signin.record(attempt, principal_id=None, arn="", error=signin.NOBODY, device=None)
        outcome = self.sign_ins.judge(login, asked.get("password", ""), asked.get("mfa"), attempt.now)
        if outcome.succeeded and login.must_change:
            self._change_password(attempt, login, asked)
        error = None if outcome.succeeded else signin.FAILED
        return signin.record(
            attempt, principal_id=login.principal_id, arn=login.arn, error=error, device=outcome.device
        )

    def _change_password(self, attempt: Attempt, login: Login, asked: Mapping[str, str]) -> None:
        """The user's own ChangePassword, on the record as any other."""
        if "newPassword" not in asked:
            raise PageError(403, MUST_CHANGE)
        user = Principal(
            type="IAMUser",
            account=attempt.account,
            principal_id=login.principal_id,
            arn=login.arn,
            user_name=attempt.user_name,
            invoked_by="signin.amazonaws.com",
        )
        passwords = {"OldPassword": asked["password"], "NewPassword": asked["newPassword"]}
        try:
            self.door.call("iam", "ChangePassword", passwords, account=attempt.account, region=ROOT_REGION, as_=user)
        except Fault as refusal:
            raise PageError(400, f"the password was not changed: {refusal.message}") from refusal
