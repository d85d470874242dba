"""What an endpoint's answers tell of credentials, kept as they pass (nobody can be asked afterwards).

The answers of CreateAccessKey and of STS are read with botocore's parsers; the request says what the answer leaves out.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import botocore.parsers
import botocore.session
from botocore.model import ServiceModel

from trailstate.estate.interface import Credential, EstateRequest
from trailstate.wire.call import Principal, WireResponse

CREDENTIALS_MAX = 100_000
Parameters = Mapping[str, str]
Reader = Callable[[EstateRequest, Parameters, dict[str, Any]], Credential]


class Learned:
    """The credentials seen so far; the oldest are forgotten beyond the bound. Safe to use from any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Credential] = OrderedDict()
        self._lock = Lock()

    def find(self, access_key_id: str) -> Credential | None:
        return self._known.get(access_key_id)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def watch(self, request: EstateRequest, response: WireResponse) -> None:
        """Take note, if this is an answer that hands out a credential."""
        reader = READERS.get((request.service, request.operation))
        if reader is None or response.status >= 300:
            return
        parameters = dict(parse_qsl(request.request.body.decode("utf-8", "replace") or request.request.query))
        credential = reader(request, parameters, _output(request, response))
        with self._lock:
            self._known[credential.access_key_id] = credential
            if len(self._known) > CREDENTIALS_MAX:
                self._known.popitem(last=False)


def _user_key(request: EstateRequest, _: Parameters, output: dict[str, Any]) -> Credential:
    """A user's key. The answer does not hold the user's id; `principal_id` stays empty, which is to say unknown."""
    key = output["AccessKey"]
    return Credential(
        access_key_id=key["AccessKeyId"],
        kind="IAMUser",
        account=request.account,
        principal_id="",
        arn=f"arn:aws:iam::{request.account}:user/{key['UserName']}",
        user_name=key["UserName"],
        secret=key["SecretAccessKey"],
        created=key.get("CreateDate", request.now),
    )


def _role_session(request: EstateRequest, parameters: Parameters, output: dict[str, Any]) -> Credential:
    keys, session = output["Credentials"], output["AssumedRoleUser"]
    role_arn = parameters.get("RoleArn", "")
    account = session["Arn"].split(":")[4]
    inherited = request.principal.session.source_identity if request.principal and request.principal.session else None
    return Credential(
        **_keys(keys),
        kind="AssumedRole",
        account=account,
        principal_id=session["AssumedRoleId"],
        arn=session["Arn"],
        issuer={
            "type": "Role",
            "principalId": session["AssumedRoleId"].partition(":")[0],
            "arn": role_arn,
            "accountId": account,
            "userName": role_arn.rpartition("/")[2],
        },
        created=request.now,
        mfa=_with_mfa(parameters),
        source_identity=output.get("SourceIdentity") or parameters.get("SourceIdentity") or inherited,
        web_identity=_web_identity(output),
    )


def _session_token(request: EstateRequest, parameters: Parameters, output: dict[str, Any]) -> Credential:
    owner = request.principal or _root(request.account)
    return Credential(
        **_keys(output["Credentials"]),
        kind=owner.type,
        account=owner.account,
        principal_id=owner.principal_id,
        arn=owner.arn,
        user_name=owner.user_name,
        created=request.now,
        mfa=_with_mfa(parameters),
    )


def _federation_token(request: EstateRequest, _: Parameters, output: dict[str, Any]) -> Credential:
    owner = request.principal or _root(request.account)
    user = output["FederatedUser"]
    return Credential(
        **_keys(output["Credentials"]),
        kind="FederatedUser",
        account=owner.account,
        principal_id=user["FederatedUserId"],
        arn=user["Arn"],
        issuer={
            "type": owner.type,
            "principalId": owner.principal_id,
            "arn": owner.arn,
            "accountId": owner.account,
            "userName": owner.user_name or "",
        },
        created=request.now,
    )


READERS: dict[tuple[str, str], Reader] = {
    ("iam", "CreateAccessKey"): _user_key,
    ("sts", "AssumeRole"): _role_session,
    ("sts", "AssumeRoleWithSAML"): _role_session,
    ("sts", "AssumeRoleWithWebIdentity"): _role_session,
    ("sts", "GetFederationToken"): _federation_token,
    ("sts", "GetSessionToken"): _session_token,
}


def _keys(keys: Mapping[str, str]) -> dict[str, Any]:
    return {"access_key_id": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}


def _with_mfa(parameters: Parameters) -> bool:
    return bool(parameters.get("SerialNumber") and parameters.get("TokenCode"))


def _web_identity(output: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"federatedProvider": output["Provider"], "attributes": {}} if "Provider" in output else None


def _root(account: str) -> Principal:
    return Principal(type="Root", account=account, principal_id=account, arn=f"arn:aws:iam::{account}:root")


def _output(request: EstateRequest, response: WireResponse) -> dict[str, Any]:
    operation = _model(request.service).operation_model(request.operation)
    parser = botocore.parsers.create_parser("query")
    assert operation.output_shape is not None
    parts = {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
    output: dict[str, Any] = parser.parse(parts, operation.output_shape)
    return output


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
