"""Invoke: a function is run and answered for, sent an event, or only found to be there.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from trailstate.functions.events import event_row
from trailstate.functions.function import Named, NoQualifier, at_version, version_of
from trailstate.functions.invoke import Invoker
from trailstate.services.lambda_.found import Function, absent, fault, named_by
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.policy import Question, allows, service_context
from trailstate.wire.call import Call
from trailstate.wire.spelling import access_denied

EVENT_BYTES_MAX = 1024 * 1024
SERVICE_TYPE = "AWSService"


@operation("lambda")
def invoke(
    call: Call,
    shelf: StagedShelf,
    invoker: Invoker,
    *,
    FunctionName: str,
    InvocationType: str = "RequestResponse",
    LogType: str = "None",
    ClientContext: str | None = None,
    DurableExecutionName: str | None = None,
    Payload: bytes = b"",
    Qualifier: str | None = None,
    TenantId: str | None = None,
) -> dict[str, Any]:
    """The handler's answer, or what went wrong in it as `FunctionError`; with InvocationType Event nobody waits."""
    who, function = _function(call, shelf, FunctionName, Qualifier)
    version = _version(who, function)
    body = Payload if isinstance(Payload, bytes) else bytes(Payload)
    event = _event(body)
    if function["reserved"] == 0:
        raise fault.TooManyRequestsException(
            "Rate Exceeded.", Reason="ReservedFunctionConcurrentInvocationLimitExceeded"
        )
    if InvocationType == "DryRun":
        return {"StatusCode": 204}
    if InvocationType == "Event":
        if len(body) > EVENT_BYTES_MAX:
            raise fault.RequestTooLargeException(f"An event has at most {EVENT_BYTES_MAX} bytes; got {len(body)}.")
        shelf.send(event_row(who.arn, body, call.request_id, call.now, qualifier=who.qualifier))
        return {"StatusCode": 202, "Payload": b""}
    ran = invoker.invoke(
        version["config"],
        version["code"],
        event,
        account=who.account,
        region=who.region,
        request_id=call.request_id,
        arn=who.arn if who.qualifier is None else f"{who.arn}:{who.qualifier}",
        client_context=_client_context(ClientContext),
    )
    answer: dict[str, Any] = {"StatusCode": 200, "Payload": ran.payload, "ExecutedVersion": ran.version}
    if ran.failed:
        answer["FunctionError"] = "Unhandled"
    if LogType == "Tail":
        answer["LogResult"] = base64.b64encode(ran.log_tail).decode()
    return answer


def _function(call: Call, shelf: StagedShelf, text: str, qualifier: str | None) -> tuple[Named, Function]:
    """The function, the caller's own or one whose policy lets the caller's account or service in."""
    who = named_by(call, text, qualifier)
    function = shelf.get(who.key) if who.region == call.region else None
    is_own = who.account == call.account and call.principal.type != SERVICE_TYPE
    if function is None:
        raise absent(who)
    if not is_own and not _lets_in(function, who, call):
        if who.account != call.account:
            raise absent(who)
        by = call.principal.invoked_by
        message = f"User: {by} is not authorized to perform: lambda:InvokeFunction on resource: {who.arn}"
        raise access_denied("lambda", call.protocol, message)
    return who, dict(function)


def _lets_in(function: Mapping[str, Any], who: Named, call: Call) -> bool:
    """Whether the policy of the function, or of the version or alias that is called, lets the caller in."""
    principal = call.principal
    service = principal.invoked_by or "" if principal.type == SERVICE_TYPE else ""
    context = service_context(service, principal.account, principal.source_arn) if service else {}
    arn = f"{who.arn}:{who.qualifier}" if who.qualifier else who.arn
    question = Question("lambda:InvokeFunction", arn, service, principal.arn, context)
    return allows({"Statement": function["policies"].get(who.qualifier or "", [])}, question)


def _version(who: Named, function: Function) -> Mapping[str, Any]:
    try:
        return at_version(function, version_of(function, who.qualifier))
    except NoQualifier as error:
        raise absent(who) from error


def _event(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, RecursionError) as error:
        raise fault.InvalidRequestContentException(
            f"Could not parse request body into json: {error}", Type="User"
        ) from error


def _client_context(given: str | None) -> Any:
    if given is None:
        return None
    try:
        return msgspec.json.decode(base64.b64decode(given))
    except (msgspec.DecodeError, ValueError) as error:
        raise fault.InvalidParameterValueException(f"ClientContext is not base64 of JSON: {error}") from error
