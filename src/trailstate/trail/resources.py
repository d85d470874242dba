"""`resources` of a record, for the few operations whose records have it (S3, KMS, SSM, DynamoDB, EBS, ECR, STS).

Nothing is invented for other operations: event history derives its richer list from the request instead.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from trailstate.trail.tables import table
from trailstate.wire.call import Call, Outcome

TABLE_OF_STATEMENT = re.compile(r"""\b(?:FROM|INTO|UPDATE)\s+"?([A-Za-z0-9_.-]{3,255})""", re.IGNORECASE)


def resources(call: Call, outcome: Outcome, resource_type: str | None, region: str) -> list[dict[str, Any]]:
    """The resources of a call in AWS's order; empty when its records carry none."""
    if call.service == "s3":
        return _s3(call, outcome, resource_type)
    found: list[dict[str, Any]] = []
    for row in rows(call.service, call.operation):
        for value in _values(row, call, outcome):
            entry = _entry(row, value, call, region)
            if entry is not None and entry not in found:
                found.append(entry)
    return found


@cache
def rows(service: str, operation: str) -> tuple[Mapping[str, Any], ...]:
    """The table's rows for an operation: its own, else its service's."""
    known = table("resources")["operations"]
    return tuple(known.get(f"{service}.{operation}", known.get(f"{service}.*", ())))


def reads_result(service: str, operation: str) -> bool:
    """Whether a resource's name may have to be read from the response."""
    return any(row.get("result") for row in rows(service, operation))


def _values(row: Mapping[str, Any], call: Call, outcome: Outcome) -> list[str]:
    value = call.parameters.get(row["member"])
    answered = (outcome.result or {}).get(row["result"]) if row.get("result") else None
    value = NAMES[row["names"]](value) if "names" in row else answered or value
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


def _keys(value: Any) -> list[str]:
    """DynamoDB's batches go by table."""
    return list(value) if isinstance(value, dict) else []


def _tables(value: Any) -> list[Any]:
    """Each step of DynamoDB's transactions names its table: `{"Put": {"TableName": …}}`."""
    steps = [each for each in _list(value) if isinstance(each, dict)]
    return [action.get("TableName") for step in steps for action in step.values() if isinstance(action, dict)]


def _statements(value: Any) -> list[str]:
    return [name for each in _list(value) if isinstance(each, dict) for name in _statement(each.get("Statement"))]


def _statement(value: Any) -> list[str]:
    """The table that a PartiQL statement is about."""
    found = TABLE_OF_STATEMENT.search(value) if isinstance(value, str) else None
    return [found[1]] if found else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


NAMES: Mapping[str, Callable[[Any], list[Any]]] = {
    "keys": _keys,
    "tables": _tables,
    "statement": _statement,
    "statements": _statements,
}
"""Where names stand within a member, by the word of the table."""


def _entry(row: Mapping[str, Any], value: str, call: Call, region: str) -> dict[str, Any] | None:
    if value.startswith(tuple(row.get("unless", ()))):
        return None
    named = row["arn"].format(region=region, account=call.account, value=_bare(row, value))
    arn = value if value.startswith("arn:") else named
    if not arn.startswith("arn:"):
        return None
    entry = {"accountId": _owner(arn) or call.account}
    if "type" in row:
        entry["type"] = row["type"]
    return {**entry, "ARN": arn}


def _bare(row: Mapping[str, Any], value: str) -> str:
    """The part of a member that the ARN takes: without a leading slash, or what stands after the last one or a text."""
    if "after" in row:
        return value.rpartition(row["after"])[2]
    if row.get("last"):
        return value.rpartition("/")[2]
    return value.removeprefix("/") if row.get("bare") else value


def _owner(arn: str) -> str:
    """The account an ARN names; empty when it names none, as those of snapshots."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""


def _s3(call: Call, outcome: Outcome, resource_type: str | None) -> list[dict[str, Any]]:
    bucket = call.parameters.get("Bucket")
    if not isinstance(bucket, str) or (outcome.failure is not None and outcome.failure.code == "NoSuchBucket"):
        return []
    arn = bucket if bucket.startswith("arn:") else f"arn:aws:s3:::{bucket}"
    whole = {"accountId": call.account, "type": "AWS::S3::Bucket", "ARN": arn}
    if resource_type is None:
        return [whole]
    key = call.parameters.get("Key")
    if key is not None:
        return [{"type": resource_type, "ARN": f"{arn}/{key}"}, whole]
    return [whole, {"type": resource_type, "ARNPrefix": f"{arn}/{call.parameters.get('Prefix') or ''}"}]
