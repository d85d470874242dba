"""Rules that a Lambda function of the user's judges: the event it gets, and the token that lets it answer.

Follows "Example Events for AWS Config Rules" in the developer guide. The function answers by PutEvaluations, any time
later; the token says for which rule, so that nobody needs to remember an invocation.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from trailstate.compliance.configured import RULE_KIND, STATUS_KIND, ConfiguredRule
from trailstate.compliance.engine import status_after
from trailstate.configuration.discover import config_principal
from trailstate.configuration.recorder import RECORDER
from trailstate.stores.interface import Commit, ShelfChange, ShelfKey, Store
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World

EVENT_VERSION = "1.0"
ITEM_RECORD_VERSION = "1.3"
SCHEDULE_RECORD_VERSION = "1.0"
_TAG_BYTES = 32


class InvalidResultToken(ValueError):
    """Not a token that was given to a function here."""


class Grant(msgspec.Struct, frozen=True):
    """What a token allows: to give results of this rule."""

    account: str
    region: str
    rule: str
    rule_id: str
    invoked: str


@dataclass(frozen=True, slots=True)
class ResultTokens:
    """Makes and opens result tokens: a grant followed by its HMAC-SHA256 (RFC 2104), in URL-safe base64."""

    key: bytes

    def seal(self, grant: Grant) -> str:
        body = msgspec.json.encode(grant)
        return base64.urlsafe_b64encode(self._tag(body) + body).decode()

    def open(self, token: str) -> Grant:
        """The grant; InvalidResultToken for anything that was not sealed here."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidResultToken("the token is not base64 text") from error
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            raise InvalidResultToken("the token was not given out here")
        return msgspec.json.decode(body, type=Grant)

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self.key, b"result token" + body, hashlib.sha256)


def change_event(item: Mapping[str, Any], diff: Mapping[str, Any] | None, now: str) -> dict[str, Any]:
    """The invoking event for a new item."""
    return {
        "configurationItemDiff": diff,
        "configurationItem": item,
        "notificationCreationTime": now,
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": ITEM_RECORD_VERSION,
    }


def scheduled_event(account: str, now: str) -> dict[str, Any]:
    """The invoking event when the clock asks."""
    return {
        "awsAccountId": account,
        "notificationCreationTime": now,
        "messageType": "ScheduledNotification",
        "recordVersion": SCHEDULE_RECORD_VERSION,
    }


def event(
    rule: ConfiguredRule, invoking: Mapping[str, Any], *, token: str, left_scope: bool, role: str
) -> dict[str, Any]:
    """What the function gets."""
    return {
        "version": EVENT_VERSION,
        "invokingEvent": msgspec.json.encode(invoking).decode(),
        "ruleParameters": msgspec.json.encode(rule.input_parameters).decode(),
        "resultToken": token,
        "eventLeftScope": left_scope,
        "executionRoleArn": role,
        "configRuleArn": rule.arn,
        "configRuleName": rule.name,
        "configRuleId": rule.id,
        "accountId": rule.account,
    }


class Invoker:
    """Calls the functions. What goes wrong is said at the rule; it is never a verdict."""

    def __init__(self, store: Store, world: World, door: Door, tokens: ResultTokens) -> None:
        self._store = store
        self._world = world
        self._door = door
        self._tokens = tokens

    def invoke(self, asked: Mapping[str, Any]) -> Commit:
        """One invocation; what to commit of it."""
        account, region, name = asked["account"], asked["region"], asked["rule"]
        key = ShelfKey(account, region, RULE_KIND, name)
        found = self._store.get(key)
        if found is None:
            return Commit()
        rule, now = ConfiguredRule.of(key, found.value), self._world.now()
        code, message = self._call(rule, self._event(rule, asked, now))
        return Commit(shelf=[self._status(rule, now, code, message)])

    def _event(self, rule: ConfiguredRule, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        text = moment_text(now)
        item = asked.get("item")
        invoking = scheduled_event(rule.account, text) if item is None else change_event(item, asked.get("diff"), text)
        token = self._tokens.seal(Grant(rule.account, rule.region, rule.name, rule.id, text))
        return event(rule, invoking, token=token, left_scope=asked.get("left", False), role=self._role(rule))

    def _role(self, rule: ConfiguredRule) -> str:
        """The recorder's role, which the function may assume to look at more than the item."""
        for _, recorder in self._store.documents(rule.account, rule.region, RECORDER):
            if recorder.value.get("roleARN"):
                return str(recorder.value["roleARN"])
        return f"arn:aws:iam::{rule.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

    def _call(self, rule: ConfiguredRule, payload: Mapping[str, Any]) -> tuple[str, str]:
        """Why it failed, as a code and a sentence; two empty texts when it did not."""
        parameters = {
            "FunctionName": rule.source["SourceIdentifier"],
            "InvocationType": "RequestResponse",
            "Payload": msgspec.json.encode(payload),
        }
        principal = config_principal(rule.account)
        try:
            answer = self._door.call(
                "lambda", "Invoke", parameters, account=rule.account, region=rule.region, as_=principal
            )
        except Fault as fault:
            return fault.code, f"The function could not be invoked. {fault.message}"
        if answer.get("FunctionError"):
            return "FunctionError", f"The function failed: {_error_text(answer.get('Payload'))}"
        return "", ""

    def _status(self, rule: ConfiguredRule, now: datetime, code: str, message: str) -> ShelfChange:
        key = ShelfKey(rule.account, rule.region, STATUS_KIND, rule.name)
        found = self._store.get(key)
        return ShelfChange(key, status_after(found.value if found else {}, now, code, message))


def _error_text(payload: object) -> str:
    """What the runtime says of the error, as far as it says it in the usual form."""
    raw = payload if isinstance(payload, bytes) else str(payload or "").encode()
    try:
        told = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw[:500].decode(errors="replace")
    return str(told.get("errorMessage", "") if isinstance(told, dict) else told)[:500]
