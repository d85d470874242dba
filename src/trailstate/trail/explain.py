"""One English sentence for any record: when, who, what, where, from where, with what, and how it ended.

The general rule takes the event's name apart: its first word is the verb, the rest names the thing, and the
resources that the record mentions say which one. Tables hold what the rule would say badly.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from trailstate.trail.attributes import identity_of, username
from trailstate.trail.audit import told
from trailstate.trail.mentions import Resource, mentions
from trailstate.values.timestamp import epoch_seconds, from_epoch

NAMES_MAX = 3
MESSAGE_LENGTH_MAX = 200


class Phrase(NamedTuple):
    """A verb as `tried to …` and as `…`, and the type of the thing when the event's name does not give it."""

    infinitive: str
    past: str
    kind: str = ""


PHRASES = {
    "RunInstances": Phrase("launch", "launched", "AWS::EC2::Instance"),
    "ConsoleLogin": Phrase("sign in to the AWS console", "signed in to the AWS console", "-"),
    "GetCallerIdentity": Phrase("ask who they are", "asked who they are", "-"),
    "StartLogging": Phrase("start logging of", "started logging of", "AWS::CloudTrail::Trail"),
    "StopLogging": Phrase("stop logging of", "stopped logging of", "AWS::CloudTrail::Trail"),
    "AuthorizeSecurityGroupIngress": Phrase("open", "opened", "AWS::EC2::SecurityGroup"),
    "AuthorizeSecurityGroupEgress": Phrase("open the way out of", "opened the way out of", "AWS::EC2::SecurityGroup"),
    "RevokeSecurityGroupIngress": Phrase("close", "closed", "AWS::EC2::SecurityGroup"),
    "CreateTags": Phrase("tag", "tagged", "*"),
    "DeleteTags": Phrase("remove tags from", "removed tags from", "*"),
    "Decrypt": Phrase("decrypt with", "decrypted with", "AWS::KMS::Key"),
    "Encrypt": Phrase("encrypt with", "encrypted with", "AWS::KMS::Key"),
    "GenerateDataKey": Phrase("make a data key with", "made a data key with", "AWS::KMS::Key"),
    "AddUserToGroup": Phrase("add to a group", "added to a group", "AWS::IAM::User"),
    "RemoveUserFromGroup": Phrase("remove from a group", "removed from a group", "AWS::IAM::User"),
    "PutObject": Phrase("write", "wrote", "AWS::S3::Object"),
    "Invoke": Phrase("invoke", "invoked", "AWS::Lambda::Function"),
}
"""`-`: no thing to name; `*`: whatever the record mentions."""

PAST_TENSES = {
    "Get": "read",
    "Head": "looked at",
    "List": "listed",
    "Describe": "described",
    "Put": "set",
    "Set": "set",
    "Run": "ran",
    "Send": "sent",
    "Begin": "began",
    "Stop": "stopped",
    "Tag": "tagged",
    "Untag": "untagged",
    "Reset": "reset",
    "Split": "split",
    "Swap": "swapped",
    "Admin": "administered",
    "Abort": "aborted",
    "Copy": "copied",
    "Batch": "batched",
    "Import": "imported",
    "Export": "exported",
    "Lookup": "looked up",
    "Submit": "submitted",
    "Transfer": "transferred",
    "Withdraw": "withdrew",
    "Give": "gave",
    "Find": "found",
}
INFINITIVES = {"Get": "read", "Put": "set", "Head": "look at", "Lookup": "look up", "Admin": "administer"}

SERVICES = {
    "lambda": "Lambda",
    "dynamodb": "DynamoDB",
    "cloudtrail": "CloudTrail",
    "cloudformation": "CloudFormation",
    "monitoring": "CloudWatch",
    "logs": "CloudWatch Logs",
    "events": "EventBridge",
    "secretsmanager": "Secrets Manager",
    "elasticloadbalancing": "load balancing",
    "autoscaling": "Auto Scaling",
    "route53": "Route 53",
    "organizations": "Organizations",
    "signin": "sign-in",
    "config": "Config",
}
"""Service names that are not simply the event source's first part in capitals."""

AGENTS = (
    (re.compile(r"Terraform", re.IGNORECASE), "Terraform"),
    (re.compile(r"Pulumi", re.IGNORECASE), "Pulumi"),
    (re.compile(r"aws-cli/|awscli"), "the AWS CLI"),
    (re.compile(r"AWS.?Internal", re.IGNORECASE), "an AWS service"),
    (re.compile(r"console|signin|Mozilla/"), "the AWS console"),
    (re.compile(r"Boto3?/|botocore/", re.IGNORECASE), "boto3"),
    (re.compile(r"aws-sdk-js"), "the AWS SDK for JavaScript"),
    (re.compile(r"aws-sdk-go"), "the AWS SDK for Go"),
    (re.compile(r"aws-sdk-java"), "the AWS SDK for Java"),
    (re.compile(r"aws-sdk-(\w+)"), "an AWS SDK"),
)

DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|^Forbidden|AuthFailure")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
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


def past_tense(verb: str) -> str:
    """`Terminate` as `terminated`; irregular ones from the table."""
    if verb in PAST_TENSES:
        return PAST_TENSES[verb]
    plain = verb.lower()
    if plain.endswith("e"):
        return f"{plain}d"
    return f"{plain[:-1]}ied" if re.search(r"[^aeiou]y$", plain) else f"{plain}ed"


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
    ending = _singular("".join(noun)).lower()
    fitting = [kind for kind, _ in met if ending.endswith(kind.rpartition("::")[2].lower())]
    return max(fitting, key=len, default="")


def _covers(noun: Sequence[str], kind: str) -> bool:
    return kind.rpartition("::")[2].lower() in "".join(noun).lower()


def _unnamed(record: Mapping[str, Any], noun: Sequence[str], met: Sequence[Resource]) -> str:
    """`the bucket policy of the S3 bucket reports`; without a resource `the S3 buckets`."""
    thing = " ".join(_lowered(word) for word in noun)
    if met:
        kind = next((kind for kind, _ in met if _covers(noun, kind)), met[0][0])
        return f"the {thing} of the {label(kind)} {_list([name for found, name in met if found == kind])}"
    return f"the {service(record)} {thing}" if thing else f"in {service(record)}"


def label(kind: str) -> str:
    """`AWS::EC2::SecurityGroup` as `EC2 security group`."""
    _, _, rest = kind.partition("::")
    owner, _, name = rest.partition("::")
    return f"{owner} {' '.join(_lowered(word) for word in words(name))}".strip()


def service(record: Mapping[str, Any]) -> str:
    """The service's name as people write it."""
    prefix = str(record.get("eventSource") or "an unknown service").partition(".")[0]
    return SERVICES.get(prefix, prefix.upper() if len(prefix) <= 4 else prefix)


@cache
def words(name: str) -> tuple[str, ...]:
    """`AuthorizeSecurityGroupIngress` as its words; never empty."""
    return tuple(_WORDS.findall(name)) or ("Call",)


def _event_name(record: Mapping[str, Any]) -> str:
    return _DATED.sub("", str(record.get("eventName") or ""))


def _lowered(word: str) -> str:
    return word if word.isupper() and len(word) > 1 else word.lower()


def _singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")


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
