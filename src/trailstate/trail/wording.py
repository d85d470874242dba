"""AWS's names in English: verbs, resource types, services and clients; tables hold what a rule would say badly."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


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


@cache
def words(name: str) -> tuple[str, ...]:
    """`AuthorizeSecurityGroupIngress` as its words; never empty."""
    return tuple(_WORDS.findall(name)) or ("Call",)


def past_tense(verb: str) -> str:
    """`Terminate` as `terminated`; irregular ones from the table."""
    if verb in PAST_TENSES:
        return PAST_TENSES[verb]
    plain = verb.lower()
    if plain.endswith("e"):
        return f"{plain}d"
    return f"{plain[:-1]}ied" if re.search(r"[^aeiou]y$", plain) else f"{plain}ed"


def label(kind: str) -> str:
    """`AWS::EC2::SecurityGroup` as `EC2 security group`."""
    _, _, rest = kind.partition("::")
    owner, _, name = rest.partition("::")
    return f"{owner} {' '.join(lowered(word) for word in words(name))}".strip()


def service(record: Mapping[str, Any]) -> str:
    """The service's name as people write it."""
    prefix = str(record.get("eventSource") or "an unknown service").partition(".")[0]
    return SERVICES.get(prefix, prefix.upper() if len(prefix) <= 4 else prefix)


def lowered(word: str) -> str:
    return word if word.isupper() and len(word) > 1 else word.lower()


def singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")
