"""One English sentence for any record: when, who, what, where, from where, with what, and how it ended.

The general rule takes the event's name apart: its first word is the verb, the rest names the thing, and the
resources that the record mentions say which one (`wording` has the words).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.trail.attributes import identity_of, username
from trailstate.trail.audit import told
from trailstate.trail.mentions import Resource, mentions
from trailstate.trail.wording import (
    AGENTS,
    INFINITIVES,
    PHRASES,
    label,
    lowered,
    past_tense,
    service,
    singular,
    words,
)
from trailstate.values.timestamp import epoch_seconds, from_epoch

NAMES_MAX = 3
MESSAGE_LENGTH_MAX = 200


DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|^Forbidden|AuthFailure")
_DATED = re.compile(r"(20\d{6}|20\d{2}_\d{2}_\d{2})(v\d+)?$")
_PERSONS = {
    "IAMUser": "IAM user",
    "AssumedRole": "role session",
    "FederatedUser": "federated user",
    "Root": "root user",
}


def explain(record: Mapping[str, Any]) -> str:
    """The record as one sentence. Any record gives one, however little it says."""
    record = told(record)
    failed = _failure(record)
    verb = _verb(record, tried=failed is not None)
    parts = [_when(record), who(record), verb, _thing(record), _where(record)]
    return f"{' '.join(part for part in parts if part)}: {failed or 'succeeded'}."


def who(record: Mapping[str, Any]) -> str:
    """The caller: name, kind, access key, and whether with MFA."""
    identity = identity_of(record)
    kind = str(identity.get("type") or "")
    name = username(identity) or identity.get("accountId") or "somebody"
    if kind not in _PERSONS:
        return f"the service {name}" if identity.get("invokedBy") else f"{name}{f' ({kind})' if kind else ''}"
    details = [f"session of the role {_issuer(identity)}" if kind == "AssumedRole" else _PERSONS[kind]]
    if identity.get("accessKeyId"):
        details.append(f"access key {identity['accessKeyId']}")
    details.append(f"MFA {'yes' if _used_mfa(record, identity) else 'no'}")
    if kind == "Root":
        return f"the root user ({', '.join(details[1:])})"
    return f"{name} ({', '.join(details)})"


def _used_mfa(record: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    """Said of the session, or, of a sign-in, beside it."""
    session = _object(_object(identity.get("sessionContext")).get("attributes"))
    signed_in = _object(record.get("additionalEventData"))
    return str(session.get("mfaAuthenticated")).lower() == "true" or signed_in.get("MFAUsed") == "Yes"


def _object(value: Any) -> Mapping[str, Any]:
    """An object, or nothing: an imported record may hold anything."""
    return value if isinstance(value, dict) else {}


def _issuer(identity: Mapping[str, Any]) -> str:
    issuer = _object(_object(identity.get("sessionContext")).get("sessionIssuer"))
    _, _, from_arn = str(identity.get("arn") or "").partition(":assumed-role/")
    return str(issuer.get("userName") or from_arn.partition("/")[0] or "unknown")


def _when(record: Mapping[str, Any]) -> str:
    try:
        moment = from_epoch(epoch_seconds(record["eventTime"]))
    except (KeyError, TypeError, ValueError):
        return "At an unknown time"
    return f"On {moment:%Y-%m-%d} at {moment:%H:%M:%S} UTC"


# ---- what was done ----


def _verb(record: Mapping[str, Any], *, tried: bool) -> str:
    name = _event_name(record)
    if name in PHRASES:
        return f"tried to {PHRASES[name].infinitive}" if tried else PHRASES[name].past
    word = words(name)[0]
    return f"tried to {INFINITIVES.get(word, word.lower())}" if tried else past_tense(word)


def _thing(record: Mapping[str, Any]) -> str:
    name = _event_name(record)
    kind = PHRASES[name].kind if name in PHRASES else ""
    if kind == "-":
        return ""
    met = _by_name(mentions(record))
    noun = words(name)[1:]
    chosen = kind or (met[0][0] if met and not noun else _meant(noun, met))
    if kind == "*" and met:
        chosen = met[0][0]
    if not chosen:
        return _unnamed(record, noun, met)
    names = [each for found, each in met if found == chosen]
    others = [pair for pair in met if pair[0] != chosen and _covers(noun, pair[0])]
    main = f"the {label(chosen)} {_list(names)}".rstrip()
    return f"{main} ({_list([f'{label(kind)} {name}' for kind, name in others])})" if others else main


def _meant(noun: Sequence[str], met: Sequence[Resource]) -> str:
    """The mentioned type that the event's name ends with: `TerminateInstances` means the instances."""
    ending = singular("".join(noun)).lower()
    fitting = [kind for kind, _ in met if ending.endswith(kind.rpartition("::")[2].lower())]
    return max(fitting, key=len, default="")


def _covers(noun: Sequence[str], kind: str) -> bool:
    return kind.rpartition("::")[2].lower() in "".join(noun).lower()


def _unnamed(record: Mapping[str, Any], noun: Sequence[str], met: Sequence[Resource]) -> str:
    """`the bucket policy of the S3 bucket reports`; without a resource `the S3 buckets`."""
    thing = " ".join(lowered(word) for word in noun)
    if met:
        kind = next((kind for kind, _ in met if _covers(noun, kind)), met[0][0])
        return f"the {thing} of the {label(kind)} {_list([name for found, name in met if found == kind])}"
    return f"the {service(record)} {thing}" if thing else f"in {service(record)}"


def _event_name(record: Mapping[str, Any]) -> str:
    return _DATED.sub("", str(record.get("eventName") or ""))


def _list(names: Sequence[str]) -> str:
    shown = [str(name) for name in names[:NAMES_MAX]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


# ---- where, and how it ended ----


def _where(record: Mapping[str, Any]) -> str:
    region, source = record.get("awsRegion"), str(record.get("sourceIPAddress") or "")
    through = source.endswith(".amazonaws.com")
    parts = [
        f"in {region}" if region else "",
        f"through {source}" if through else f"from {source}" if source else "",
        "" if through else _agent(str(record.get("userAgent") or "")),
    ]
    return " ".join(part for part in parts if part)


def _by_name(met: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each resource by its name alone where the record gives its ARN as well."""

    def is_repeated(kind: str, arn: str) -> bool:
        return arn.startswith("arn:") and any(
            other == kind and name != arn and arn.endswith((f":{name}", f"/{name}")) for other, name in met
        )

    return [(kind, name) for kind, name in met if not is_repeated(kind, name)]


def _agent(text: str) -> str:
    known = next((name for pattern, name in AGENTS if pattern.search(text)), "")
    other = text.strip("[]").partition(" ")[0]
    return f"with {known or other}" if known or other else ""


def _failure(record: Mapping[str, Any]) -> str | None:
    code, message = str(record.get("errorCode") or ""), str(record.get("errorMessage") or "")
    if not code and not message:
        return None
    if code.endswith("DryRunOperation"):
        return "a dry run that would have succeeded"
    said = (message if len(message) <= MESSAGE_LENGTH_MAX else f"{message[:MESSAGE_LENGTH_MAX]}…").rstrip(". ")
    ending = "denied" if DENIED.search(code) else f"failed with {code}" if code else "failed"
    return f"{ending}: {said}" if said else ending
