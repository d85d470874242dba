"""No value that AWS's model calls sensitive is written anywhere: journal, history, logs, metrics, command output."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from moto.backend_index import backend_url_patterns

from tests.clients.answers import Client
from tests.clients.canary import MARK, Planted, Planter, canaries_in
from tests.clients.damage import ACCOUNT, request_of
from tests.unit.gateway.test_dispatch import House
from tests.unit.trail.test_record import a_call, done
from trailstate.estate.interface import EstateRequest
from trailstate.testing import Lab, lab
from trailstate.trail import record
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.wire.services import services


def simulated(service: str) -> bool:
    """Whether the simulator's own table of hosts has a place for the service."""
    hosts = [
        f"{scheme}://{services()[service].endpoint_prefix}.us-east-1.amazonaws.com" for scheme in ("http", "https")
    ]
    return any(pattern.match(host) for _, pattern in backend_url_patterns for host in hosts)


WHOLE = os.environ.get("CANARIES") == "all"
SERVICES = [name for name in sorted(services()) if WHOLE or simulated(name)]
"""Every service of AWS's models that the simulator serves; with CANARIES=all, every one there is."""

SHOWN = {
    ("s3", "SSEKMSKeyId"): "the key's identifier, which S3 records as it was sent",
    ("s3", "KMSMasterKeyID"): "likewise, in the body",
    ("s3", "KMSKeyId"): "likewise",
    ("s3", "KMSKeyArn"): "likewise",
    ("s3", "KeyId"): "likewise",
    ("s3", "SSEKMSEncryptionContext"): "S3 records the header as it was sent",
}
"""(service, last name of the path) -> why its value is in the record."""


@dataclass(frozen=True)
class Aftermath:
    """What a lab left behind after a call with every canary."""

    planted: list[Planted]
    records: list[dict[str, object]]
    places: dict[str, bytes]
    """Where somebody may look -> all that stands there."""


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    data = tmp_path_factory.mktemp("canary")
    log = data.with_suffix(".log")
    handler = logging.FileHandler(log)
    logging.getLogger("trailstate").addHandler(handler)
    planter = Planter()
    planted = [each for service in SERVICES for each in planter.planted(service)]
    with lab(ephemeral=False, data_events="all", data=str(data)) as aws:
        client = Client(aws.endpoint)
        for each in planted:
            client.send(request_of(each.service, each.operation, each.parameters))
        client.close()
        places = {
            "LookupEvents": history(aws),
            "metrics": urlopen(f"{aws.endpoint}/_trailstate/metrics").read(),
            "health": urlopen(f"{aws.endpoint}/_trailstate/health").read(),
            "events": command("events", "-o", "json", "-n", "100000", "--data", str(data)),
            "explain": command("events", "--explain", "-n", "100000", "--data", str(data)),
        }
        places |= {f"{path.name} while serving": path.read_bytes() for path in files(data)}
        records = aws.recorded()
    places |= {path.name: path.read_bytes() for path in files(data)}
    logging.getLogger("trailstate").removeHandler(handler)
    handler.close()
    places["log"] = log.read_bytes()
    return Aftermath(planted, records, places)


def history(aws: Lab) -> bytes:
    pages = (
        aws.client("cloudtrail", key=ACCOUNT).get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 50})
    )
    return repr([event for page in pages for event in page["Events"]]).encode()


def command(*arguments: str) -> bytes:
    program = Path(sys.executable).with_name("trailstate")
    done = subprocess.run([program, *arguments], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout + done.stderr


def files(data: Path) -> list[Path]:
    return [path for path in data.rglob("*") if path.is_file()]


Origins = dict[str, tuple[str, str, str]]
"""Canary -> service, operation and path of the member it stands in."""


def origins(planted: list[Planted]) -> Origins:
    return {canary: (each.service, each.operation, path) for each in planted for canary, path in each.canaries.items()}


def shown_by_aws(origin: Origins) -> set[str]:
    return {canary for canary, (service, _, path) in origin.items() if (service, path.rpartition(".")[2]) in SHOWN}


def test_no_canary_is_found_but_those_that_aws_shows(aftermath: Aftermath) -> None:
    origin = origins(aftermath.planted)
    shown = shown_by_aws(origin)

    found = {place: canaries_in(text) for place, text in aftermath.places.items()}
    leaks = {place: sorted(origin[canary] for canary in there - shown) for place, there in found.items()}

    assert {place: there for place, there in leaks.items() if there} == {}
    assert found["truth.db"] == shown


def test_every_call_is_on_the_record(aftermath: Aftermath) -> None:
    """Nothing is hidden by being left out: each call has its record, and the places looked at hold them."""
    understood = [each for each in aftermath.records if each["requestParameters"] is not None]
    assert len({each.service for each in aftermath.planted}) > 80
    assert len(aftermath.records) >= len(aftermath.planted)
    assert len(understood) > 0.95 * len(aftermath.planted)
    assert {"truth.db", "derived.db", "estate.log", "truth.db-wal while serving"} <= aftermath.places.keys()
    for place in ("truth.db", "LookupEvents", "events"):
        assert b"requestParameters" in aftermath.places[place]


def test_intents_that_a_crash_leaves_hold_no_canary() -> None:
    """What would be on the disk if the server died between the effect and its record."""
    house = House(data_events="all")
    answered = house.estate.handle

    def dying(request: EstateRequest, meanwhile: Callable[[], None]) -> WireResponse:
        house.faults.arm("commit")
        return answered(request, meanwhile)

    house.estate.handle = dying  # type: ignore[method-assign]
    planter = Planter()
    planted = [
        each for service in ("iam", "rds", "s3", "cognito-idp", "secretsmanager") for each in planter.planted(service)
    ]
    for each in planted:
        house.dispatcher.handle(request_of(each.service, each.operation, each.parameters))

    left = house.store.intents()
    assert len(left) > len(planted) / 2
    assert canaries_in(b"".join(intent.body for intent in left)) <= shown_by_aws(origins(planted))


def test_no_answer_gives_a_canary_to_its_record() -> None:
    planter = Planter()
    results = [each for service in SERVICES for each in planter.results(service)]

    written = [record.build(a_call(each.service, each.operation), done(each.parameters)) for each in results]

    assert sum(len(each.canaries) for each in results) > 100
    assert [each["eventName"] for each in written if canaries_in(json.dumps(each).encode())] == []


def test_what_proves_who_called_is_in_no_record() -> None:
    house = House(data_events="all")
    signature, token = f"{MARK}000001", f"{MARK}000002"
    scope = f"{ACCOUNT}/20260115/us-east-1/s3/aws4_request"
    presigned = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date=20260115T093000Z"
    proof = f"X-Amz-SignedHeaders=host&X-Amz-Signature={signature}&X-Amz-Security-Token={token}"
    headers = (
        ("authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}"),
        ("x-amz-security-token", token),
    )

    house.dispatcher.handle(WireRequest("GET", f"/b/k?{presigned}&{proof}", ()))
    house.dispatcher.handle(WireRequest("GET", "/b/k", headers))
    house.dispatcher.handle(WireRequest("GET", f"/b/k?AWSAccessKeyId=AKIA&Expires=1&Signature={signature}", ()))

    assert [each["eventName"] for each in house.records] == ["GetObject"] * 3
    assert canaries_in(json.dumps(house.records).encode()) == set()
