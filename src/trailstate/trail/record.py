"""A call and its outcome become one CloudTrail record, version 1.11 (CloudTrail user guide, "Record contents").

Pure: the same call and outcome give the same record. Members stand in the order in which AWS writes them; empty
parameters are null, never `{}`; nothing sensitive passes.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from trailstate.trail import shape_s3
from trailstate.trail.bounds import ADDITIONAL_BYTES_MAX, bounded, request_bytes, truncated, whole
from trailstate.trail.category import Classification, classify, region_of
from trailstate.trail.errors import error_code, hides_message
from trailstate.trail.identity import seconds, user_identity
from trailstate.trail.mask import without_secrets
from trailstate.trail.plan import plan_of
from trailstate.trail.resources import reads_result, resources
from trailstate.trail.tables import table
from trailstate.values.arn import account_of_arn
from trailstate.wire.call import Call, Failure, Outcome

EVENT_VERSION = "1.11"
_VPC_ENDPOINT = re.compile(r"(?:^|\.)(vpce-[0-9a-f]{8,17})-")
"""A VPC endpoint's own DNS names begin with its id, perhaps behind a bucket (VPC guide, "DNS names" of endpoints)."""


def needs_result(call: Call) -> bool:
    """Whether the response's members appear in the record, so that the caller must read them."""
    return plan_of(call.service, call.operation).reads_result or reads_result(call.service, call.operation)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a record says of its call, before anything is known of the outcome."""

    call: Call
    kind: Classification
    region: str
    opening: dict[str, Any]
    """The members before the error."""
    parameters: Any
    closing: dict[str, Any]
    """The members after `resources`."""
    request_bytes: int


def draft(call: Call) -> Draft:
    """The part of a call's record that its intent and its record have in common, so that it is written once."""
    kind = classify(call.service, call.operation)
    region = region_of(kind, call.host, call.region)
    sent_bytes = request_bytes(call)
    parameters = plan_of(call.service, call.operation).request(call)
    return Draft(
        call,
        kind,
        region,
        opening=_opening(call, kind, region),
        parameters=bounded("requestParameters", parameters, sent_bytes),
        closing=_closing(call, kind),
        request_bytes=sent_bytes,
    )


def build(call: Call, outcome: Outcome) -> dict[str, Any]:
    """The record of a call, JSON-ready."""
    return _record(draft(call), outcome)


def build_all(begun: Draft, outcome: Outcome) -> list[dict[str, Any]]:
    """Every account's copy of the record: the caller's, and that of the account whose role a stranger assumed."""
    call, own = begun.call, _record(begun, outcome)
    owner = _owner_of_role(call, outcome)
    if owner is None or owner == call.account:
        return [own]
    shared = derived_id("shared", call.event_id)
    stranger = {"type": "AWSAccount", "principalId": call.principal.principal_id, "accountId": call.account}
    theirs = own | {
        "userIdentity": stranger,
        "eventID": derived_id("owner", call.event_id),
        "recipientAccountId": owner,
    }
    return [_with_shared_id(own, shared), _with_shared_id(theirs, shared)]


def _record(begun: Draft, outcome: Outcome) -> dict[str, Any]:
    call = begun.call
    record = {
        **begun.opening,
        **_error(call, outcome),
        "requestParameters": begun.parameters,
        "responseElements": _response(call, outcome),
    }
    additional = _additional(call, outcome)
    if additional:
        record["additionalEventData"] = additional
    record["requestID"] = truncated(call.request_id)
    record["eventID"] = call.event_id
    record["readOnly"] = begun.kind.read_only
    touched = resources(call, outcome, begun.kind.resource_type, begun.region)
    if touched:
        record["resources"] = touched
    record |= begun.closing
    return whole(record, begun.request_bytes + len(outcome.response.body))


def _opening(call: Call, kind: Classification, region: str) -> dict[str, Any]:
    invoked_by = call.principal.invoked_by
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(call.principal),
        "eventTime": seconds(call.now),
        "eventSource": kind.event_source,
        "eventName": kind.event_name,
        "awsRegion": region,
        "sourceIPAddress": invoked_by or call.source_address,
        "userAgent": truncated(invoked_by or _agent(call)),
    }


def _agent(call: Call) -> str:
    """S3 alone writes the agent in brackets (123 of 124 recorded agents that are not a service's)."""
    return f"[{call.user_agent}]" if call.service == "s3" and call.user_agent else call.user_agent


def _error(call: Call, outcome: Outcome) -> dict[str, str]:
    if outcome.failure is None:
        return {}
    error = {"errorCode": truncated(error_code(call, outcome.failure))}
    if outcome.failure.message and not hides_message(call.service):
        error["errorMessage"] = _message(call, outcome.failure)
    return error


def _message(call: Call, failure: Failure) -> str:
    if not failure.quotes:
        return truncated(failure.message)
    return truncated(without_secrets(failure.message, call.service, call.operation, call.parameters))


def _response(call: Call, outcome: Outcome) -> Any:
    if outcome.failure is not None:
        said = hides_message(call.service) and not classify(call.service, call.operation).read_only
        return {"message": _message(call, outcome.failure)} if said else None
    written = plan_of(call.service, call.operation).response(call, outcome)
    return bounded("responseElements", written, len(outcome.response.body))


def _additional(call: Call, outcome: Outcome) -> dict[str, Any]:
    data = shape_s3.additional_event_data(call, outcome) if call.service == "s3" else {}
    data |= outcome.notes
    if outcome.notes and len(msgspec.json.encode(data)) > ADDITIONAL_BYTES_MAX:
        return {"omitted": True, "reason": "additionalEventData too large"}
    return data


def _closing(call: Call, kind: Classification) -> dict[str, Any]:
    prefix = kind.event_source.partition(".")[0]
    closing: dict[str, Any] = {"eventType": table("classes")["event_types"].get(prefix, "AwsApiCall")}
    if kind.api_version is not None:
        closing["apiVersion"] = kind.api_version
    closing["managementEvent"] = kind.category == "Management"
    closing["recipientAccountId"] = call.account
    if call.principal.type == "AWSService" and prefix in table("classes")["shared_events"]["values"]:
        closing["sharedEventID"] = derived_id("shared", call.event_id)
    endpoint = vpc_endpoint(call.host)
    if endpoint is not None:
        closing["vpcEndpointId"] = endpoint
    closing["eventCategory"] = kind.category
    if call.tls is not None and call.principal.invoked_by is None:
        closing["tlsDetails"] = {
            "tlsVersion": call.tls.get("tlsVersion", ""),
            "cipherSuite": call.tls.get("cipherSuite", ""),
            "clientProvidedHostHeader": call.host,
        }
    return closing


def vpc_endpoint(host: str) -> str | None:
    """The VPC endpoint that a Host header names; None for any other host."""
    name, is_endpoint, _port = host.partition(".vpce.amazonaws.com")
    found = _VPC_ENDPOINT.search(name) if is_endpoint else None
    return None if found is None else found[1]


def _owner_of_role(call: Call, outcome: Outcome) -> str | None:
    """The account of the role an STS call assumed; None for other calls and for failed ones."""
    role = call.parameters.get("RoleArn")
    if call.service != "sts" or outcome.failure is not None or not isinstance(role, str):
        return None
    return account_of_arn(role)


def _with_shared_id(record: dict[str, Any], shared: str) -> dict[str, Any]:
    copy: dict[str, Any] = {}
    for name, value in record.items():
        copy[name] = value
        if name == "recipientAccountId":
            copy["sharedEventID"] = shared
    return copy


def derived_id(purpose: str, event_id: str) -> str:
    """A further id for the same action, e.g. one that two accounts' copies share: the same call gives the same id."""
    digest = sha256(f"{purpose} {event_id}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
