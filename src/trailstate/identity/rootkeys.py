"""Each account's root access key: random, made at first start, in a file only its owner may read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from trailstate.world import World

ACCESS_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECRET_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # noqa: S105 - letters to draw from


@dataclass(frozen=True, slots=True)
class RootKey:
    """What the AWS CLI calls an access key."""

    account: str
    access_key_id: str
    secret_access_key: str


def load_or_make(directory: Path, accounts: Iterable[str], world: World) -> dict[str, RootKey]:
    """The root key of every account, by account; missing ones are made and kept in `root-ACCOUNT.json`, mode 0600."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {account: _read(directory, account) or _make(directory, account, world) for account in accounts}


def _path(directory: Path, account: str) -> Path:
    return directory / f"root-{account}.json"


def _read(directory: Path, account: str) -> RootKey | None:
    try:
        stored = msgspec.json.decode(_path(directory, account).read_bytes())
    except FileNotFoundError:
        return None
    return RootKey(account, stored["AccessKeyId"], stored["SecretAccessKey"])


def _make(directory: Path, account: str, world: World) -> RootKey:
    key = RootKey(account, "AKIA" + world.token(16, ACCESS_KEY_ALPHABET), world.token(40, SECRET_ALPHABET))
    body = msgspec.json.encode({"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key})
    _keep(_path(directory, account), body + b"\n")
    return key


PASSWORD_CHARACTERS = 24


def root_password_path(directory: Path, account: str) -> Path:
    """Where the password stands with which the account's root user signs in to the console."""
    return directory / f"root-password-{account}"


def root_password(directory: Path, account: str, world: World) -> str:
    """Root's console password, random, made at the first call; mode 0600."""
    path = root_password_path(directory, account)
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep(path, world.token(PASSWORD_CHARACTERS).encode() + b"\n")
    return path.read_text().strip()


def secret_key(path: Path, world: World) -> bytes:
    """The 32 random bytes in a file of that name, made at the first call; mode 0600."""
    if not path.exists():
        _keep(path, world.random_bytes(32))
    return path.read_bytes()


def _keep(path: Path, body: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
