"""A bucket as evidence, read with the person's own AWS configuration: `AWS_ENDPOINT_URL`, profile, region, credentials.

Objects are listed and fetched without a client: what that adds to a small GET costs more than all of a verification.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from trailstate.cli.comparing import Processes, processes_for
from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.getting import Getter
from trailstate.cli.objects import Listed, NotReadable, Where, fetch, listed
from trailstate.cli.signing import Key
from trailstate.trail.verify import Expected, Fetched, PublicKeys
from trailstate.trail.verify.names import Place, digest_name
from trailstate.values.regions import ALWAYS_ENABLED
from trailstate.world import RealWorld

ATTEMPTS_MAX = 4
DIGESTS_SETTLE = timedelta(hours=2)
"""So long after StartLogging every Region has had its first digest."""


class Account:
    """Clients of one AWS account, as the person's environment names it."""

    def __init__(self, endpoint: str | None, profile: str | None) -> None:
        self._session = botocore.session.Session(profile=profile)
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        where = region or self._session.get_config_variable("region") or "us-east-1"
        if (service, where) not in self._clients:
            config = Config(retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"})
            self._clients[service, where] = self._session.create_client(
                service, region_name=where, endpoint_url=self._endpoint, config=config
            )
        return self._clients[service, where]

    def credentials(self) -> Any:
        found = self._session.get_credentials()
        if found is None:
            raise Stop(
                ExitCode.REFUSED, "There are no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in."
            )
        return found


class Bucket:
    """Implements `Evidence` over S3."""

    def __init__(self, account: Account, name: str, prefix: str = "") -> None:
        self.bucket: str | None = name
        self.name = f"s3://{name}/{prefix}"
        self._account = account
        self._others: dict[str, Bucket | None] = {}
        self._name = name
        self._prefix = prefix
        where = account.client("s3").get_bucket_location(Bucket=name).get("LocationConstraint")
        region = str({None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(where, where))
        address = f"{account.client('s3', region).meta.endpoint_url}/{quote(name)}"
        self._where = Where(name, address, region)
        self._key = _key_of(account)
        self._getter = Getter(address, region, self._key, RealWorld().now)
        self._listed: list[Listed] | None = None
        self._listing = threading.Lock()

    def keys(self) -> Iterator[str]:
        return (found.key for found in self.listed())

    def listed(self) -> list[Listed]:
        """Everything below the prefix; asked for once. Raises NotReadable."""
        with self._listing:
            if self._listed is None:
                self._listed = list(listed(self._getter, self._name, self._prefix))
            return self._listed

    def fetch(self, key: str) -> Fetched | None:
        """Raises NotReadable."""
        return fetch(self._getter, self._name, key)

    def beside(self, bucket: str) -> "Bucket | None":
        """To which a trail delivered before; None where it is gone, or is not for this person to read."""
        if bucket not in self._others:
            try:
                self._others[bucket] = Bucket(self._account, bucket)
            except Refusals:
                self._others[bucket] = None
        return self._others[bucket]

    def processes(self, threads: int) -> AbstractContextManager[Processes | None]:
        """What compares this bucket's files in several processes; None where that is not worth while."""
        processes = processes_for(len(self.listed()), threads)
        if processes == 1:
            return nullcontext()
        return Processes(self._where, self._key, processes, threads // processes)


def _key_of(account: Account) -> Callable[[], Key]:
    frozen = account.credentials().get_frozen_credentials

    def key() -> Key:
        now = frozen()
        return Key(now.access_key, now.secret_key, now.token)

    return key


def published_keys(account: Account, digest_keys: Sequence[str]) -> PublicKeys:
    """Every public key of the regions and time that the digests are of; a backfill one is signed when it is made."""
    named = [found for found in map(digest_name, digest_keys) if found is not None]
    since: dict[str, datetime] = {}
    for chain, end in named:
        since[chain.place.region] = min(end, since.get(chain.place.region, end))
    now = RealWorld().now()
    made = [max(end, now) if chain.is_backfill else end for chain, end in named]
    listed: list[Mapping[str, Any]] = []
    for region, earliest in since.items():
        pages = account.client("cloudtrail", region).get_paginator("list_public_keys")
        for page in pages.paginate(StartTime=earliest - timedelta(hours=2), EndTime=max(made) + timedelta(hours=2)):
            listed += page["PublicKeyList"]
    return PublicKeys(listed)


def expectations(account: Account, bucket: str) -> list[Expected]:
    """What the account's trails that deliver to this bucket say of themselves."""
    found = account.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
    return [_expectation(account, trail) for trail in found if trail["S3BucketName"] == bucket and _validates(trail)]


def _validates(trail: Mapping[str, Any]) -> bool:
    return bool(trail.get("LogFileValidationEnabled"))


def _expectation(account: Account, trail: Mapping[str, Any]) -> Expected:
    arn, home = trail["TrailARN"], trail["HomeRegion"]
    owner = arn.split(":")[4]
    prefix = f"{trail['S3KeyPrefix']}/" if trail.get("S3KeyPrefix") else ""
    organization = f"{_organization(account)}/" if trail.get("IsOrganizationTrail") else ""
    status = account.client("cloudtrail", home).get_trail_status(Name=arn)
    latest = status.get("LatestDigestDeliveryTime")
    places = [Place(f"{prefix}AWSLogs/{organization}", owner, region) for region in _regions(trail, status)]
    return Expected(trail["Name"], home, places, latest, bool(trail.get("IsMultiRegionTrail")))


def _regions(trail: Mapping[str, Any], status: Mapping[str, Any]) -> Sequence[str]:
    """Where the trail's own account must have digests: at home, and everywhere once the first ones had their time."""
    home, started, latest = trail["HomeRegion"], status.get("StartLoggingTime"), status.get("LatestDigestDeliveryTime")
    is_settled = started is not None and latest is not None and latest - started > DIGESTS_SETTLE
    return ALWAYS_ENABLED if trail.get("IsMultiRegionTrail") and home in ALWAYS_ENABLED and is_settled else (home,)


def _organization(account: Account) -> str:
    return str(account.client("organizations").describe_organization()["Organization"]["Id"])


Refusals = (BotoCoreError, ClientError, NotReadable)
"""What is raised when AWS says no or is not there."""
