"""The names of delivered files, read back: whose they are, of which region, and of which minute.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

_FOLDER = r"(?P<folder>(?:.+/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?)(?P<account>\d{12})"
_DIGEST = re.compile(
    _FOLDER + r"/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/"
    r"(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>.+)_(?P<home>[a-z]{2}[a-z-]*-\d)_(?P<time>\d{8}T\d{6}Z)"
    r"(?P<backfill>_backfill)?\.json\.gz"
)
_LOG = re.compile(
    _FOLDER + r"/CloudTrail/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/"
    r"(?P=account)_CloudTrail_(?P=region)_(?P<time>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz"
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where the files of one account and region lie."""

    folder: str
    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.folder}{self.account}/{self.region}"


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """The digests of one trail in one place."""

    place: Place
    trail: str
    home_region: str
    is_backfill: bool = False

    def __str__(self) -> str:
        return f"{self.trail} ({self.place}{', backfill' if self.is_backfill else ''})"


class Log(NamedTuple):
    """A log file, with what its name says."""

    key: str
    place: Place
    time: datetime
    """The minute it was cut."""


def digest_name(key: str) -> tuple[Chain, datetime] | None:
    """The chain of a digest file and the end of its period; None for any other key."""
    found = _DIGEST.fullmatch(key)
    if found is None:
        return None
    moment = _moment(found["time"])
    chain = Chain(_place(found), found["trail"], found["home"], found["backfill"] is not None)
    return None if moment is None else (chain, moment)


def log_name(key: str) -> Log | None:
    """A log file by its key; None for any other key."""
    found = _LOG.fullmatch(key)
    if found is None:
        return None
    moment = _moment(found["time"])
    return None if moment is None else Log(key, _place(found), moment)


def _place(found: re.Match[str]) -> Place:
    return Place(found["folder"], found["account"], found["region"])


def _moment(text: str) -> datetime | None:
    """A time in the basic format of ISO 8601; None for a day or an hour that does not exist."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
