"""A message as its receivers get it: the signed JSON envelope, Lambda's event, and where the signature is checked.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

Signed are the names and values of some members, each on a line of its own, in order of their names; with SHA-1 in
version 1 and SHA-256 in version 2 (RFC 8017, PKCS #1 v1.5).
"""

import base64
import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailstate.watch.topic import Document, Message
from trailstate.world import World

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
CERTIFICATE_PATH = "/_trailstate/sns/SimpleNotificationService.pem"
CERTIFICATE_VALID = timedelta(days=3650)
KEY_BITS = 2048
API_VERSION = "2010-03-31"

Envelope = dict[str, Any]


class Seal:
    """Signs envelopes with a key that is made at first need and kept beside the house's others."""

    def __init__(self, directory: Path, world: World, endpoint: Callable[[], str]) -> None:
        self._path = directory / "sns-signing.pem"
        self._world = world
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._key: RSAPrivateKey | None = None

    def enclose(self, message: Message, subscription: Document) -> Envelope:
        """The signed envelope."""
        is_request = bool(message.token)
        told = {
            "Type": "SubscriptionConfirmation" if is_request else "Notification",
            "MessageId": message.id,
            "Token": message.token or None,
            "TopicArn": message.topic,
            "Subject": message.subject or None,
            "Message": message.text_for(subscription["Protocol"]),
            "SubscribeURL": self.confirm_url(message) if is_request else None,
            "Timestamp": message.time,
            "SignatureVersion": message.signature_version,
        }
        envelope: Envelope = {name: value for name, value in told.items() if value is not None}
        envelope["Signature"] = self._sign(envelope)
        envelope["SigningCertURL"] = f"{self._endpoint()}{CERTIFICATE_PATH}"
        if not is_request:
            envelope["UnsubscribeURL"] = self.unsubscribe_url(subscription)
        if message.attributes:
            envelope["MessageAttributes"] = attributes(message)
        return envelope

    def confirm_url(self, message: Message) -> str:
        return self._url("ConfirmSubscription", f"TopicArn={quote(message.topic, safe=':')}&Token={message.token}")

    def unsubscribe_url(self, subscription: Document) -> str:
        return self._url("Unsubscribe", f"SubscriptionArn={quote(subscription['SubscriptionArn'], safe=':')}")

    def _url(self, action: str, query: str) -> str:
        return f"{self._endpoint()}/?Action={action}&Version={API_VERSION}&{query}"

    def _sign(self, envelope: Mapping[str, Any]) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256

        # Version 1 is SHA-1 by definition; whoever wants better asks for version 2.
        algorithm = SHA256() if envelope["SignatureVersion"] == "2" else SHA1()  # noqa: S303
        return base64.b64encode(self._signing_key().sign(signed_text(envelope), PKCS1v15(), algorithm)).decode()

    def certificate(self) -> bytes:
        """The key's certificate in PEM: self-signed, since nobody vouches for this house."""
        from cryptography import x509
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding

        key, now = self._signing_key(), self._world.now()
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        start = datetime(now.year, 1, 1, tzinfo=now.tzinfo)
        numbers = key.public_key().public_numbers()
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(numbers.n % 2**63 or 1)
            .not_valid_before(start)
            .not_valid_after(start + CERTIFICATE_VALID)
        )
        return built.sign(key, SHA256()).public_bytes(Encoding.PEM)

    def _signing_key(self) -> "RSAPrivateKey":
        with self._lock:
            if self._key is None:
                self._key = self._read() or self._make()
            return self._key

    def _read(self) -> "RSAPrivateKey | None":
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if not self._path.exists():
            return None
        key = load_pem_private_key(self._path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, RSAPrivateKey)
        return key

    def _make(self) -> "RSAPrivateKey":
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return key


def signed_text(envelope: Mapping[str, Any]) -> bytes:
    """What the signature of an envelope covers."""
    return "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED[envelope["Type"]] if name in envelope).encode()


def attributes(message: Message) -> dict[str, dict[str, str]]:
    """A message's attributes as envelopes show them."""
    return {
        name: {"Type": each["DataType"], "Value": each.get("StringValue", each.get("BinaryValue", ""))}
        for name, each in message.attributes.items()
    }


def as_text(envelope: Envelope) -> str:
    """The envelope as SNS lays it out."""
    return json.dumps(envelope, indent=2, ensure_ascii=False)


def lambda_event(envelope: Envelope, subscription: Document) -> dict[str, Any]:
    """The event of a function that is subscribed."""
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    told = {"Subject": None, "MessageAttributes": {}} | {
        renamed.get(name, name): value for name, value in envelope.items()
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription["SubscriptionArn"],
        "Sns": told,
    }
    return {"Records": [record]}
