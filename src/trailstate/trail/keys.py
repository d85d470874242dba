"""The keys that sign digests: RSA of 2048 bits for each region, renewed, the private half in a file of its own.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PublicKey.html

Time is divided into stretches of `key_days`, and each region has a key for each. Which key signs is decided by the end
of the digest's period, so a digest made late is signed as it would have been in time. Two days after its stretch the
private half is destroyed, so that whoever takes the files later cannot sign for the past. Public halves stay on the
Shelf with the time they are valid, which is what ListPublicKeys answers.
"""

import base64
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailstate.stores.interface import Commit, ShelfChange, ShelfKey, Store
from trailstate.trail.digest import Signer
from trailstate.values.timestamp import record_time

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KIND = "trail.key"
HOUSE = "aws"
"""Whose documents the public keys are: they are the service's own and the same for every account."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_AFTER = timedelta(days=2)
"""How long a private key outlives its stretch, for digests that are made late."""

KEY_BITS = 2048
DIRECTORY_NAME = "digest"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and when it signed."""

    region: str
    fingerprint: str
    value: str
    """Base64 of the PKCS#1 DER form."""
    start: datetime
    end: datetime


def public_keys(store: Store, region: str, start: datetime, end: datetime) -> list[PublicKey]:
    """The keys of a region that were valid at some time between two moments, oldest first."""
    found = (_public(region, key.name, document.value) for key, document in store.documents(HOUSE, region, KIND))
    return sorted((each for each in found if each.start <= end and each.end >= start), key=lambda each: each.start)


def _public(region: str, fingerprint: str, value: dict[str, Any]) -> PublicKey:
    start, end = (datetime.fromisoformat(value[name]) for name in ("ValidityStartTime", "ValidityEndTime"))
    return PublicKey(region, fingerprint, value["Value"], start, end)


def fresh_key() -> "RSAPrivateKey":
    """A key from the machine's own entropy."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


class Keys:
    """The signing keys of a house. Safe from any thread."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        key_days: int,
        make: "Callable[[], RSAPrivateKey]" = fresh_key,
    ) -> None:
        self._directory = directory / DIRECTORY_NAME
        self._store = store
        self._valid = timedelta(days=key_days)
        self._make = make
        self._lock = threading.Lock()
        self._signers: dict[tuple[str, datetime], Signer] = {}

    def signer(self, region: str, end: datetime) -> Signer:
        """What signs a region's digest of a period that ends then; its public half is durably listed by now."""
        start = end - (end - EPOCH) % self._valid
        with self._lock:
            held = self._signers.get((region, start))
            if held is None or not self._is_listed(region, held.fingerprint):
                held = self._signers[region, start] = self._kept(region, end) or self._fresh(region, start)
                self._destroy_expired(region, end)
            return held

    def listed(self, region: str, start: datetime, end: datetime, now: datetime) -> list[PublicKey]:
        """The public keys valid at some time between two moments; the present one too, though it has not signed yet."""
        if start <= now <= end:
            self.signer(region, now)
        return public_keys(self._store, region, start, end)

    def _is_listed(self, region: str, fingerprint: str) -> bool:
        return self._store.get(ShelfKey(HOUSE, region, KIND, fingerprint)) is not None

    def _kept(self, region: str, end: datetime) -> Signer | None:
        for public in public_keys(self._store, region, end, end):
            path = self._path(region, public.fingerprint)
            if end < public.end and path.exists():
                return _signer(public.fingerprint, _load(path))
        return None

    def _fresh(self, region: str, start: datetime) -> Signer:
        private = self._make()
        der = _public_der(private)
        fingerprint = md5(der, usedforsecurity=False).hexdigest()
        self._write(self._path(region, fingerprint), private)
        self._list(PublicKey(region, fingerprint, base64.b64encode(der).decode(), start, start + self._valid))
        return _signer(fingerprint, private)

    def _list(self, key: PublicKey) -> None:
        value = {
            "Value": key.value,
            "ValidityStartTime": record_time(key.start),
            "ValidityEndTime": record_time(key.end),
        }
        self._store.commit(Commit(shelf=[ShelfChange(ShelfKey(HOUSE, key.region, KIND, key.fingerprint), value)]))

    def _path(self, region: str, fingerprint: str) -> Path:
        return self._directory / region / f"{fingerprint}.pem"

    def _write(self, path: Path, private: "RSAPrivateKey") -> None:
        from cryptography.hazmat.primitives import serialization

        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _destroy_expired(self, region: str, end: datetime) -> None:
        for public in public_keys(self._store, region, EPOCH, end - KEPT_AFTER):
            if public.end < end - KEPT_AFTER:
                self._path(region, public.fingerprint).unlink(missing_ok=True)
                self._signers = {
                    place: held for place, held in self._signers.items() if held.fingerprint != public.fingerprint
                }


def _load(path: Path) -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # The file is our own, and proving that its numbers are primes would take a tenth of a second.
    private = load_pem_private_key(path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, RSAPrivateKey)
    return private


def _public_der(private: "RSAPrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def _signer(fingerprint: str, private: "RSAPrivateKey") -> Signer:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return Signer(fingerprint, lambda text: private.sign(text, padding.PKCS1v15(), hashes.SHA256()))
