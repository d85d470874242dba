"""Messages are published: checked, given an id, and on their way to every subscription when the call is answered.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.operation import operation
from trailstate.services.sns.found import Document, fault, find_topic, invalid, not_yet, subscriptions_of
from trailstate.stores.staged import StagedShelf
from trailstate.values.timestamp import moment_text
from trailstate.watch import topic as kept
from trailstate.watch.topic import TopicName, deliveries
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault
from trailstate.world import World

MESSAGE_BYTES_MAX = 262_144
SUBJECT_CHARACTERS_MAX = 100
BATCH_MAX = 10
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!(?i:aws\.|amazon\.))(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


@operation("sns")
def publish(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    Message: str,
    TopicArn: str | None = None,
    TargetArn: str | None = None,
    PhoneNumber: str | None = None,
    Subject: str | None = None,
    MessageStructure: str | None = None,
    MessageAttributes: Mapping[str, Mapping[str, Any]] | None = None,
    MessageDeduplicationId: str | None = None,
    MessageGroupId: str | None = None,
) -> dict[str, Any]:
    """The message goes to every confirmed subscription whose filter takes it, after this call is recorded."""
    if sum(each is not None for each in (TopicArn, TargetArn, PhoneNumber)) != 1:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    if PhoneNumber is not None or ":endpoint/" in (TargetArn or ""):
        raise not_yet("A message to a phone")
    named, topic = find_topic(call, shelf, TopicArn or TargetArn or "", "Publish")
    parameters = {
        "Message": Message,
        "Subject": Subject,
        "MessageStructure": MessageStructure,
        "MessageAttributes": MessageAttributes,
        "MessageDeduplicationId": MessageDeduplicationId,
    }
    return {"MessageId": _publish(call, shelf, world, named, topic, parameters)}


@operation("sns")
def publish_batch(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    TopicArn: str,
    PublishBatchRequestEntries: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Up to ten messages, each taken or refused by itself."""
    named, topic = find_topic(call, shelf, TopicArn, "Publish")
    _check_batch(PublishBatchRequestEntries)
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in PublishBatchRequestEntries:
        try:
            successful.append({"Id": entry["Id"], "MessageId": _publish(call, shelf, world, named, topic, entry)})
        except Fault as refusal:
            failed.append({"Id": entry["Id"], "Code": refusal.code, "Message": refusal.message, "SenderFault": True})
    return {"Successful": successful, "Failed": failed}


def _check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    if not entries:
        raise fault.EmptyBatchRequestException("The batch request doesn't contain any entries.")
    if len(entries) > BATCH_MAX:
        raise fault.TooManyEntriesInBatchRequestException("The batch request contains more entries than permissible.")
    names = [each["Id"] for each in entries]
    if len(set(names)) != len(names):
        raise fault.BatchEntryIdsNotDistinctException("Two or more batch entries in the request have the same Id.")
    if not all(map(ENTRY_ID.fullmatch, names)):
        raise fault.InvalidBatchEntryIdException(
            "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if sum(len(each["Message"].encode()) for each in entries) > MESSAGE_BYTES_MAX:
        raise fault.BatchRequestTooLongException(
            "The length of all the batch messages put together is more than the limit."
        )


def _publish(
    call: Call, shelf: StagedShelf, world: World, named: TopicName, topic: Document, given: Mapping[str, Any]
) -> str:
    if given.get("MessageDeduplicationId") is not None:
        raise invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for"
            " this topic type"
        )
    attributes = {name: read_attribute(name, each) for name, each in (given.get("MessageAttributes") or {}).items()}
    _check_size(given["Message"], attributes)
    texts = _texts(given["Message"], given.get("MessageStructure"))
    message = kept.Message(
        id=world.uuid(),
        topic=named.arn,
        time=moment_text(call.now),
        text=texts.pop("default"),
        subject=_subject(given.get("Subject")),
        texts=texts,
        attributes=attributes,
        signature_version=topic["Attributes"].get("SignatureVersion", "1"),
    )
    for row in deliveries(message, (each for _, each in subscriptions_of(shelf, named))):
        shelf.send(row)
    return message.id


def _check_size(text: str, attributes: Mapping[str, Mapping[str, str]]) -> None:
    if not text:
        raise invalid("Empty message")
    size = len(text.encode()) + sum(len(n) + sum(map(len, each.values())) for n, each in attributes.items())
    if size > MESSAGE_BYTES_MAX:
        raise invalid("Message too long")


def _subject(given: str | None) -> str:
    if given is None:
        return ""
    if not given or len(given) > SUBJECT_CHARACTERS_MAX or not given.isprintable() or given[0].isspace():
        raise invalid("Subject")
    return given


def _texts(message: str, structure: str | None) -> dict[str, str]:
    """The text by protocol, `default` among them."""
    if structure is None:
        return {"default": message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        given = json.loads(message)
    except (ValueError, RecursionError):
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(given, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    texts = {name: text for name, text in given.items() if isinstance(text, str)}
    if "default" not in texts:
        raise invalid("Message Structure - No default entry in JSON message body")
    return texts


def read_attribute(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """A message attribute that was checked; InvalidParameterValue."""
    if not ATTRIBUTE_NAME.fullmatch(name):
        raise fault.InvalidParameterValueException(
            f"The message attribute '{name}' has an invalid name: letters, digits, _, - and single periods."
        )
    kind = given.get("DataType", "")
    if kind.partition(".")[0] not in ("String", "Number", "Binary"):
        raise fault.InvalidParameterValueException(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    member = "BinaryValue" if kind.startswith("Binary") else "StringValue"
    value = given.get(member)
    if not value:
        raise fault.InvalidParameterValueException(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
            f"'{kind}'."
        )
    if kind.startswith("Number") and not NUMBER.fullmatch(value):
        raise fault.InvalidParameterValueException(f"Could not cast message attribute '{name}' value to number.")
    return {"DataType": kind, member: base64.b64encode(value).decode() if member == "BinaryValue" else value}
