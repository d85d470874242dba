"""A lab inside your tests: a simulated AWS account behind one endpoint, with the record of every call.

    from trailstate.testing import lab

    with lab() as aws:
        aws.client("s3").create_bucket(Bucket="reports")
        assert aws.recorded(eventName="CreateBucket")[0]["requestParameters"]["bucketName"] == "reports"

Installed beside pytest it offers the same as the fixture `lab`, emptied before each test.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from trailstate.values.timestamp import parse_span

if TYPE_CHECKING:
    from trailstate.app import Running

DEFAULT_REGION = "us-east-1"


class Lab:
    """One running lab. Everything in it is gone when the `with` block ends."""

    def __init__(self, running: "Running") -> None:
        self._running = running
        self._clients: dict[tuple[str, str, str], Any] = {}

    @property
    def endpoint(self) -> str:
        """The URL for `AWS_ENDPOINT_URL` or `endpoint_url`."""
        return self._running.endpoint

    @property
    def account(self) -> str:
        """The first account; its number is also an access key of its administrator (any secret)."""
        return self._running.accounts[0]

    @property
    def environment(self) -> dict[str, str]:
        """What a stock client in a process of its own needs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "AWS_REGION": DEFAULT_REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def root_key(self) -> tuple[str, str]:
        """Access key id and secret of the account's root user."""
        key = self._running.root_keys[self.account]
        return key.access_key_id, key.secret_access_key

    @property
    def root_password(self) -> str:
        """With which the account's root user signs in to the console."""
        from trailstate.identity.rootkeys import root_password_path

        return root_password_path(self._running.data / "keys", self.account).read_text().strip()

    def sign_in(self, **given: str) -> dict[str, Any]:
        """Sign in to the console as root, or as the IAM user `user`, with `password`, `mfa`, `region`; what the page
        answers: `{"ConsoleLogin": "Success", …}`."""
        from http.client import HTTPConnection

        wanted = given if "user" in given else {"password": self.root_password} | given
        host, _, port = self.endpoint.removeprefix("http://").rpartition(":")
        connection = HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request("POST", "/_trailstate/signin", json.dumps({"account": self.account} | wanted))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def client(self, service: str, *, region: str = DEFAULT_REGION, key: str | None = None, **options: Any) -> Any:
        """A boto3 client of the administrator, or of the access key id `key`; equal arguments give the same client."""
        import boto3

        access_key = key or self.account
        if options:
            return boto3.client(service, **self._connection(access_key, region) | options)
        if (service, region, access_key) not in self._clients:
            self._clients[service, region, access_key] = boto3.client(service, **self._connection(access_key, region))
        return self._clients[service, region, access_key]

    def _connection(self, access_key: str, region: str) -> dict[str, Any]:
        return {
            "endpoint_url": self.endpoint,
            "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": "test",
        }

    def recorded(self, **fields: Any) -> list[dict[str, Any]]:
        """The records so far, oldest first, whose members equal `fields`: `recorded(eventName="RunInstances")`."""
        return [
            event
            for event in map(json.loads, self._running.journal())
            if all(event.get(name) == value for name, value in fields.items())
        ]

    def now(self) -> datetime:
        """What time it is in the lab."""
        return self._running.now()

    def advance(self, by: timedelta | float | str) -> datetime:
        """Set the clock forward, by a timedelta, seconds or words such as "2h" or "1d12h"; everything that follows
        from it is done on return."""
        if isinstance(by, str):
            by = parse_span(by)
        return self._running.advance(by if isinstance(by, timedelta) else timedelta(seconds=by))

    def settle(self) -> None:
        """Wait until everything that follows from the calls so far is done."""
        self._running.settle()

    def compliance(self, rule: str, resource: str, *, region: str = DEFAULT_REGION) -> str:
        """What a rule says of a resource once everything that follows from the calls so far is done: `COMPLIANT`,
        `NON_COMPLIANT`, `NOT_APPLICABLE` or `INSUFFICIENT_DATA` (also when it says nothing).

        The rule is named as it was put, or as its pack's template calls it; the resource by its id.
        """
        self.settle()
        config = self.client("config", region=region)
        pages = config.get_paginator("describe_config_rules").paginate()
        names = [each["ConfigRuleName"] for page in pages for each in page["ConfigRules"]]
        named = [name for name in names if name == rule or name.startswith(f"{rule}-conformance-pack-")]
        if not named:
            raise LookupError(f"there is no rule {rule!r} in {region}; there are {', '.join(names) or 'none'}")
        details = config.get_paginator("get_compliance_details_by_config_rule").paginate(ConfigRuleName=named[0])
        for result in (each for page in details for each in page["EvaluationResults"]):
            if result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] == resource:
                return str(result["ComplianceType"])
        return "INSUFFICIENT_DATA"

    def reset(self) -> None:
        """Forget everything: resources, credentials, records."""
        self._running.reset()


@contextmanager
def lab(**settings: Any) -> Iterator[Lab]:
    """Start a lab on a free port and stop it at the end; `settings` are those of `trailstate.settings`."""
    import tempfile

    from trailstate import app
    from trailstate.settings import load_settings
    from trailstate.world import AdjustableWorld

    with tempfile.TemporaryDirectory(prefix="trailstate-lab-") as directory:
        chosen = {"port": 0, "data": directory, "ephemeral": True, "testing": True} | settings
        effective = load_settings(chosen, {}, looks_for_file=False)
        with app.running(effective, AdjustableWorld(effective.clock_start)) as running:
            yield Lab(running)


@pytest.fixture(scope="session")
def _trailstate_lab() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(name="lab")
def _lab(_trailstate_lab: Lab) -> Lab:
    """A lab that is empty when the test begins; one server serves the whole session."""
    _trailstate_lab.reset()
    return _trailstate_lab
