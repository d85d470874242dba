"""Public keys that verify digests: as ListPublicKeys returns them, by fingerprint.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
The value is the DER of a PKCS#1 RSAPublicKey (RFC 8017, A.1.1), which lacks the envelope that most libraries expect.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

_RSA_ENVELOPE = bytes.fromhex("300d06092a864886f70d0101010500")
"""AlgorithmIdentifier of rsaEncryption (RFC 3279, 2.3.1)."""


class BadKey(ValueError):
    """What was given is no public key, or no list of them; the message says which."""


class PublicKeys:
    """Keys by fingerprint."""

    def __init__(self, listed: Iterable[Mapping[str, Any]]) -> None:
        self._keys = {str(each.get("Fingerprint")): _key(each.get("Value")) for each in listed}

    @classmethod
    def from_files(cls, paths: Iterable[Path]) -> "PublicKeys":
        """From what `aws cloudtrail list-public-keys` printed; BadKey when it is something else."""
        return cls(each for path in paths for each in _listed(path))

    def __len__(self) -> int:
        return len(self._keys)

    def knows(self, fingerprint: str) -> bool:
        return fingerprint in self._keys

    def verifies(self, fingerprint: str, signature: str, signed: bytes) -> bool:
        """Whether that key made this signature (in hexadecimal) over these bytes."""
        try:
            self._keys[fingerprint].verify(bytes.fromhex(signature), signed, padding.PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def _listed(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, list[dict[str, Any]]])
        return list(content["PublicKeyList"])
    except (msgspec.DecodeError, KeyError) as error:
        raise BadKey(f"'{path}' is not what `aws cloudtrail list-public-keys` prints ({error})") from error


def _key(value: object) -> rsa.RSAPublicKey:
    try:
        der = base64.b64decode(value, validate=True) if isinstance(value, str) else bytes(value)  # type: ignore[call-overload]
        found = load_der_public_key(_enveloped(der))
    except (TypeError, ValueError, binascii.Error) as error:
        raise BadKey(f"a public key's value is not the base64 text of a PKCS#1 RSA key: {error}") from error
    if not isinstance(found, rsa.RSAPublicKey):
        raise BadKey("a public key's value is not an RSA key")
    return found


def _enveloped(der: bytes) -> bytes:
    """The key as a SubjectPublicKeyInfo (RFC 5280, 4.1)."""
    bits = b"\x00" + der
    content = _RSA_ENVELOPE + b"\x03" + _length(len(bits)) + bits
    return b"\x30" + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets
