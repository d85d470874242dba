"""What of an answer may be kept: never a member that AWS's model marks sensitive, nor one named like a secret.

A describe call tells pre-shared keys, client secrets, a function's environment. Items are kept for years, delivered to
buckets and handed to rules; what must not stand in a record must not stand there either.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from trailstate.trail.mask import is_secret
from trailstate.wire import model

SHOWN: Mapping[str, frozenset[str]] = {
    "backup": frozenset({"Tags"}),
    "cloudfront": frozenset({"Comment"}),
    "ecs": frozenset({"environment"}),
    "s3": frozenset({"KMSMasterKeyID"}),
}
"""By service, members that the model calls sensitive though they are none in what a describe call answers: tags, a
comment, a key's id, the names of variables (of which their type hides the values)."""


def disclosed(service: str, operation: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer without its secrets; the same object where its shape has none."""
    shape = model.operation_model(service, operation).output_shape
    if shape is None or not _has_secret(service, operation):
        return answer
    shown: Mapping[str, Any] = _shown(service, shape, answer)
    return shown


def _shown(service: str, shape: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and shape.type_name == "structure":
        return {
            name: _shown(service, shape.members[name], each) if name in shape.members else each
            for name, each in value.items()
            if name not in shape.members or not _hides(service, name, shape.members[name])
        }
    if isinstance(value, Mapping) and shape.type_name == "map":
        return {name: _shown(service, shape.value, each) for name, each in value.items()}
    if isinstance(value, list) and shape.type_name == "list":
        return [_shown(service, shape.member, each) for each in value]
    return value


def _hides(service: str, name: str, shape: Any) -> bool:
    return name not in SHOWN.get(service, ()) and is_secret(name, shape)


@cache
def _has_secret(service: str, operation: str) -> bool:
    return _leads_to_secret(service, model.operation_model(service, operation).output_shape, frozenset())


def _leads_to_secret(service: str, shape: Any, above: frozenset[str]) -> bool:
    """Whether a secret stands anywhere below; shapes may contain themselves."""
    if shape.name in above:
        return False
    above = above | {shape.name}
    if shape.type_name == "structure":
        return any(
            _hides(service, name, member) or _leads_to_secret(service, member, above)
            for name, member in shape.members.items()
        )
    below = {"list": "member", "map": "value"}.get(shape.type_name)
    return below is not None and _leads_to_secret(service, getattr(shape, below), above)
