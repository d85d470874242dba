"""S3: a bucket with every part of its `supplementaryConfiguration`, and an account's public access block.

The parts have the shapes of the AWS SDK for Java, version 1, in which AWS Config's items were first written: an ACL
as `grantList`, lifecycle filters as predicates, replication rules and notifications in maps by name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from trailstate.catalog.touch import asked
from trailstate.configuration.form import REGIONAL, Describe, Fact, Look, Part, ResourceType, Seen, Source

GONE = "NoSuchBucket"


def _get(operation: str, at: str = "", *absent: str) -> Describe:
    return Describe("s3", operation, {"Bucket": "{key}"}, at, (GONE, *absent))


def _told(source: Describe) -> Source:
    """A part that items show even where nothing is set: absence is an empty answer."""
    return lambda look: look.ask(source) or {}


LOCATION = _get("GetBucketLocation")


def _home(look: Look) -> str:
    """GetBucketLocation answers nothing for us-east-1, and the oldest buckets of eu-west-1 say EU."""
    named = (look.ask(LOCATION) or {}).get("LocationConstraint")
    return "eu-west-1" if named == "EU" else named or "us-east-1"


PERMISSIONS = {
    "FULL_CONTROL": "FullControl",
    "READ": "Read",
    "WRITE": "Write",
    "READ_ACP": "ReadAcp",
    "WRITE_ACP": "WriteAcp",
}

GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "AuthenticatedUsers",
    "http://acs.amazonaws.com/groups/s3/LogDelivery": "LogDelivery",
}


def _owner(owner: Mapping[str, Any]) -> dict[str, Any]:
    return {"displayName": owner.get("DisplayName"), "id": owner.get("ID")}


def _owned(configuration: dict[str, Any], seen: Seen) -> dict[str, Any]:
    return configuration | {"owner": _owner(seen.raw.get("Owner", {}))}


def _grantee(grantee: Mapping[str, Any]) -> Any:
    if "URI" in grantee:
        return GROUPS.get(grantee["URI"], grantee["URI"])
    return {"id": grantee.get("ID"), "displayName": grantee.get("DisplayName")}


def _grants(acl: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "grantSet": None,
        "grantList": [
            {"grantee": _grantee(grant["Grantee"]), "permission": PERMISSIONS.get(grant["Permission"])}
            for grant in acl.get("Grants", ())
        ],
        "owner": _owner(acl.get("Owner", {})),
        "isRequesterCharged": acl.get("Payer") == "Requester",
    }


def _logging(answer: Mapping[str, Any]) -> dict[str, Any]:
    target = answer.get("LoggingEnabled", {})
    return {"destinationBucketName": target.get("TargetBucket"), "logFilePrefix": target.get("TargetPrefix")}


def _versioning(answer: Mapping[str, Any]) -> dict[str, Any]:
    deletes = answer.get("MFADelete")
    return {
        "status": answer.get("Status", "Off"),
        "isMfaDeleteEnabled": None if deletes is None else deletes == "Enabled",
    }


def _prefix(text: str) -> dict[str, Any]:
    return {"type": "LifecyclePrefixPredicate", "prefix": text}


def _tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "LifecycleTagPredicate", "tag": {"key": tag["Key"], "value": tag["Value"]}}


def _bound(kind: str) -> Callable[[int], dict[str, Any]]:
    return lambda size: {"type": f"LifecycleObjectSize{kind}ThanPredicate", f"objectSize{kind}Than": size}


PREDICATES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "Prefix": _prefix,
    "Tag": _tag,
    "ObjectSizeGreaterThan": _bound("Greater"),
    "ObjectSizeLessThan": _bound("Less"),
}


def _predicates(wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One predicate for each condition; `And` alone holds several tags."""
    simple = [PREDICATES[name](value) for name, value in wanted.items() if name in PREDICATES]
    return simple + [_tag(tag) for tag in wanted.get("Tags", ())]


def _filter(wanted: Mapping[str, Any]) -> dict[str, Any]:
    if "And" in wanted:
        return {"predicate": {"type": "LifecycleAndOperator", "operands": _predicates(wanted["And"])}}
    return {"predicate": next(iter(_predicates(wanted)), None)}


def _transition(day: str, step: Mapping[str, Any]) -> dict[str, Any]:
    told = {"days": step.get(day), "date": step.get("Date"), "storageClass": step.get("StorageClass")}
    return {name: value for name, value in told.items() if value is not None}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    ends, older = rule.get("Expiration", {}), rule.get("NoncurrentVersionExpiration", {})
    unfinished = rule.get("AbortIncompleteMultipartUpload", {})
    told = {
        "id": rule.get("ID"),
        "prefix": rule.get("Prefix"),
        "status": rule.get("Status"),
        "filter": _filter(rule["Filter"]) if "Filter" in rule else None,
        "transitions": [_transition("Days", step) for step in rule.get("Transitions", ())],
        "noncurrentVersionTransitions": [
            _transition("NoncurrentDays", step) for step in rule.get("NoncurrentVersionTransitions", ())
        ],
        "expirationInDays": ends.get("Days"),
        "expirationDate": ends.get("Date"),
        "expiredObjectDeleteMarker": ends.get("ExpiredObjectDeleteMarker"),
        "noncurrentVersionExpirationInDays": older.get("NoncurrentDays"),
        "noncurrentVersionExpiration": {
            "noncurrentDays": older.get("NoncurrentDays"),
            "newerNoncurrentVersions": older.get("NewerNoncurrentVersions"),
        }
        if older
        else None,
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": unfinished.get("DaysAfterInitiation")}
        if unfinished
        else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _lifecycle(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"rules": [_lifecycle_rule(rule) for rule in answer.get("Rules", ())]}


def _cross_origin(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"Rules": [{**rule, "ExposedHeaders": rule.get("ExposeHeaders", [])} for rule in answer["CORSRules"]]}


NOTIFIED = {
    "TopicConfigurations": ("TopicConfiguration", "topicARN", "TopicArn"),
    "QueueConfigurations": ("QueueConfiguration", "queueARN", "QueueArn"),
    "LambdaFunctionConfigurations": ("LambdaConfiguration", "functionARN", "LambdaFunctionArn"),
}


def _notification(answer: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        each.get("Id", str(number)): {
            "events": each.get("Events", []),
            "filter": _key_filter(each.get("Filter")),
            target: each.get(member),
            "type": kind,
        }
        for listed, (kind, target, member) in NOTIFIED.items()
        for number, each in enumerate(answer.get(listed, ()))
    }
    return {"configurations": told}


def _key_filter(wanted: Mapping[str, Any] | None) -> Any:
    if not wanted:
        return None
    rules = wanted.get("Key", {}).get("FilterRules", ())
    return {"s3KeyFilter": {"filterRules": [{"name": each["Name"], "value": each["Value"]} for each in rules]}}


def _replication(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "roleARN": answer.get("Role"),
        "rules": {
            rule.get("ID", str(number)): {
                "prefix": rule.get("Prefix"),
                "status": rule.get("Status"),
                "destinationConfig": {
                    "bucketARN": rule.get("Destination", {}).get("Bucket"),
                    "storageClass": rule.get("Destination", {}).get("StorageClass"),
                },
            }
            for number, rule in enumerate(answer.get("Rules", ()))
        },
    }


def _website(answer: Mapping[str, Any]) -> dict[str, Any]:
    elsewhere = answer.get("RedirectAllRequestsTo")
    return {
        "indexDocumentSuffix": answer.get("IndexDocument", {}).get("Suffix"),
        "errorDocument": answer.get("ErrorDocument", {}).get("Key"),
        "redirectAllRequestsTo": elsewhere
        and {"protocol": elsewhere.get("Protocol"), "hostName": elsewhere.get("HostName")},
        "routingRules": [_route(rule) for rule in answer.get("RoutingRules", ())],
    }


def _route(rule: Mapping[str, Any]) -> dict[str, Any]:
    condition, target = rule.get("Condition", {}), rule.get("Redirect", {})
    return {
        "condition": {
            "keyPrefixEquals": condition.get("KeyPrefixEquals"),
            "httpErrorCodeReturnedEquals": condition.get("HttpErrorCodeReturnedEquals"),
        },
        "redirect": {
            "protocol": target.get("Protocol"),
            "hostName": target.get("HostName"),
            "replaceKeyPrefixWith": target.get("ReplaceKeyPrefixWith"),
            "replaceKeyWith": target.get("ReplaceKeyWith"),
            "httpRedirectCode": target.get("HttpRedirectCode"),
        },
    }


def _tag_sets(tags: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"tagSets": [{"tags": {each["Key"]: each["Value"] for each in tags}}]}


PARTS = (
    Part("AccessControlList", lambda look: look.raw, shape=_grants, plain=True, as_text=True),
    Part(
        "BucketAccelerateConfiguration",
        _told(_get("GetBucketAccelerateConfiguration", "", "MethodNotAllowed")),
        shape=lambda answer: {"status": answer.get("Status")},
        plain=True,
    ),
    Part(
        "BucketCrossOriginConfiguration",
        _get("GetBucketCors", "", "NoSuchCORSConfiguration"),
        shape=_cross_origin,
    ),
    Part(
        "BucketLifecycleConfiguration",
        _get("GetBucketLifecycleConfiguration", "", "NoSuchLifecycleConfiguration"),
        shape=_lifecycle,
        plain=True,
    ),
    Part("BucketLoggingConfiguration", _told(_get("GetBucketLogging")), shape=_logging, plain=True),
    Part(
        "BucketNotificationConfiguration",
        _told(_get("GetBucketNotificationConfiguration")),
        shape=_notification,
        plain=True,
    ),
    Part(
        "BucketPolicy",
        _told(_get("GetBucketPolicy", "", "NoSuchBucketPolicy")),
        shape=lambda answer: {"policyText": answer.get("Policy")},
        plain=True,
    ),
    Part(
        "BucketReplicationConfiguration",
        _get("GetBucketReplication", "ReplicationConfiguration", "ReplicationConfigurationNotFoundError"),
        shape=_replication,
        plain=True,
    ),
    Part(
        "BucketTaggingConfiguration",
        lambda look: look.raw.get("Tags"),
        shape=_tag_sets,
        plain=True,
    ),
    Part("BucketVersioningConfiguration", _told(_get("GetBucketVersioning")), shape=_versioning, plain=True),
    Part(
        "BucketWebsiteConfiguration",
        _get("GetBucketWebsite", "", "NoSuchWebsiteConfiguration"),
        shape=_website,
        plain=True,
    ),
    Part(
        "IsRequesterPaysEnabled",
        lambda look: look.raw.get("Payer") == "Requester",
        plain=True,
    ),
    Part(
        "ObjectLockConfiguration",
        _get("GetObjectLockConfiguration", "ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
    ),
    Part(
        "PublicAccessBlockConfiguration",
        _get("GetPublicAccessBlock", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"),
    ),
    Part(
        "ServerSideEncryptionConfiguration",
        _get(
            "GetBucketEncryption",
            "ServerSideEncryptionConfiguration",
            "ServerSideEncryptionConfigurationNotFoundError",
        ),
    ),
)

CHANGES = (
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketLifecycle",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketPublicAccessBlock",
    "DeleteBucketReplication",
    "DeleteBucketTagging",
    "DeleteBucketWebsite",
    "PutAccelerateConfiguration",
    "PutBucketAcl",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketLifecycle",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketReplication",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
)

LISTED = Describe("s3", "ListBuckets", at="Buckets[]")


ACL = _get("GetBucketAcl")
PAYMENT = _get("GetBucketRequestPayment")


def _bucket(look: Look) -> Any:
    """A bucket is told by its ACL, which two places of the item show, and by the list, which alone knows when it was
    made."""
    acl = look.ask(ACL)
    if acl is None:
        return None
    listed = look.raw or next((each for each in look.ask(LISTED) or () if each["Name"] == look.key), {})
    return {"Name": look.key, **listed, **acl, "Payer": (look.ask(PAYMENT) or {}).get("Payer")}


BUCKET = ResourceType(
    name="AWS::S3::Bucket",
    listing=LISTED,
    key="Name",
    describe=_bucket,
    more={
        "Region": _home,
        "Tags": _get("GetBucketTagging", "TagSet", "NoSuchTagSet"),
    },
    resource_name="{key}",
    arn="arn:aws:s3:::{key}",
    created="{CreationDate}",
    zone=REGIONAL,
    home="{Region}",
    finish=_owned,
    parts=PARTS,
    facts=(
        Fact(
            "OwnershipControls",
            _get("GetBucketOwnershipControls", "OwnershipControls", "OwnershipControlsNotFoundError"),
        ),
    ),
    touched_by=asked("bucketName", *CHANGES),
)

BLOCKED = Describe(
    "s3control",
    "GetPublicAccessBlock",
    {"AccountId": "{account}"},
    "PublicAccessBlockConfiguration",
    ("NoSuchPublicAccessBlockConfiguration",),
)


def _blocks(look: Look) -> Any:
    block = look.ask(BLOCKED)
    return [] if block is None else [{**block, "AccountId": look.account}]


ACCOUNT_PUBLIC_ACCESS_BLOCK = ResourceType(
    name="AWS::S3::AccountPublicAccessBlock",
    listing=_blocks,
    key="AccountId",
    listed_whole=True,
    home="{region}",
    service="s3control",
    touched_by=asked("accountId", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
)

RESOURCES = (BUCKET, ACCOUNT_PUBLIC_ACCESS_BLOCK)
