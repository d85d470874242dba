"""The operator's pages: what they answer, and whom they refuse."""

import json
from datetime import UTC, datetime

import pytest
from tests.unit.gateway.echo import Rehearsal

from trailstate.gateway.operator import OperatorPages
from trailstate.wire.call import WireRequest, WireResponse


def ask(
    target: str,
    method: str = "GET",
    body: bytes = b"",
    operator: Rehearsal | None = None,
    testing: bool = True,
    **headers: str,
) -> WireResponse:
    lines = {"host": "localhost:4566", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = WireRequest(method, target, tuple(lines.items()), body)
    pages = OperatorPages(operator or Rehearsal(), testing=testing, hosts=frozenset({"audit.example"}))
    assert pages.covers(request)
    return pages.answer(request)


@pytest.mark.parametrize("path", ["/_trailstate/health", "/_localstack/health"])
def test_health(path: str) -> None:
    assert json.loads(ask(path).body) == {"status": "running"}


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_ready_says_so_by_its_status(is_ready: bool, status: int) -> None:
    assert ask("/_trailstate/ready", operator=Rehearsal(is_ready=is_ready)).status == status


def test_metrics_are_prometheus_text() -> None:
    assert b"# TYPE trailstate_calls_total counter\n" in ask("/_trailstate/metrics").body


@pytest.mark.parametrize(
    ("body", "now"),
    [
        ({"advance": "2h"}, "2026-01-15T11:30:00Z"),
        ({"advance": "1d12h30m5s"}, "2026-01-16T22:00:05Z"),
        ({"advance": 90}, "2026-01-15T09:31:30Z"),
        ({"set": "2026-02-01T00:00:00Z"}, "2026-02-01T00:00:00Z"),
    ],
)
def test_the_clock_goes_forward(body: dict[str, object], now: str) -> None:
    assert json.loads(ask("/_trailstate/clock", "POST", json.dumps(body).encode()).body) == {"now": now}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"advance": ""}',
        b'{"advance": "-2h"}',
        b'{"advance": -1}',
        b'{"advance": true}',
        b'{"advance": 1e300}',
        b'{"advance": NaN}',
        b'{"advance": "999999d"}',
        b'{"set": "2025-01-01T00:00:00Z"}',
        b'{"set": 5}',
        b'{"advance": "2h", "set": "x"}',
        b"[" * 100_000,
    ],
)
def test_a_step_nobody_can_take_is_refused(body: bytes) -> None:
    operator = Rehearsal()
    assert ask("/_trailstate/clock", "POST", body, operator).status == 400
    assert operator.now == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("path", ["/_trailstate/reset", "/moto-api/reset"])
def test_reset(path: str) -> None:
    operator = Rehearsal()
    assert ask(path, "POST", operator=operator).status == 200
    assert operator.done == ["reset"]


@pytest.mark.parametrize(
    "path",
    [
        "/_trailstate/clock",
        "/_trailstate/settle",
        "/_trailstate/reset",
        "/moto-api/reset",
        "/moto-api/data.json",
        "/moto-api",
        "/_trailstate",
        "/_trailstate/",
        "/_localstack/info",
        "/_trailstate/health/../reset",
    ],
)
def test_without_testing_there_is_no_such_page(path: str) -> None:
    found = ask(path, "POST", testing=False)
    assert (found.status, "error" in json.loads(found.body)) == (404, True)


def test_the_method_must_fit() -> None:
    assert ask("/_trailstate/reset", "GET").status == 405


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:4566", "[::1]:4566", "AUDIT.example:80"])
def test_names_of_this_server_are_answered(host: str) -> None:
    assert ask("/_trailstate/health", host=host).status == 200


@pytest.mark.parametrize("host", ["trailstate:4566", "172.17.0.2:4566", "[fd00::2]:4566", "host.docker.internal:4566"])
def test_containers_reach_it_by_the_names_they_have_for_it(host: str) -> None:
    assert ask("/_trailstate/ready", host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "internal.evil.example", "localhost.evil."])
def test_another_host_is_refused_against_dns_rebinding(host: str) -> None:
    assert ask("/_trailstate/health", host=host).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://[bad"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_sites_page_cannot_reset(headers: dict[str, str]) -> None:
    operator = Rehearsal()
    assert ask("/_trailstate/reset", "POST", operator=operator, **headers).status == 403
    assert operator.done == []


def test_a_page_of_this_machine_may() -> None:
    assert (
        ask("/_trailstate/settle", "POST", origin="http://localhost:3000", sec_fetch_site="same-origin").status == 200
    )


@pytest.mark.parametrize(
    ("target", "authorization"),
    [
        ("/", ""),
        ("/_trailstates/x", ""),
        ("/moto-apis", ""),
        ("/moto-api/key", "AWS4-HMAC-SHA256 Credential=A/20260115/"),
    ],
)
def test_other_paths_and_signed_requests_are_calls(target: str, authorization: str) -> None:
    request = WireRequest("GET", target, (("authorization", authorization),))
    assert not OperatorPages(Rehearsal()).covers(request)
