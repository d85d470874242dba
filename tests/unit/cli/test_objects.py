"""A bucket's objects by plain GETs: every page of a listing, keys as they are, and why something cannot be read."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.unit.cli.served import REGION, Served, served

from trailstate.cli.getting import Getter, Got, Key
from trailstate.cli.objects import Listed, NotReadable, fetch, listed

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
PAGES = {
    "": "<Contents><Key>a/1+2%25</Key><ETag>&quot;ab&quot;</ETag><Size>3</Size></Contents>"
    "<NextContinuationToken>to/be+continued=</NextContinuationToken>",
    "to/be+continued=": "<Contents><Key>a/%C3%A9</Key><ETag>&quot;cd&quot;</ETag><Size>4</Size></Contents>",
}


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as made:
        yield made


@pytest.fixture
def getter(server: Served) -> Getter:
    return Getter(server.where.address, REGION, lambda: Key("AKIAEXAMPLE", "secret", None), lambda: NOW)


@pytest.mark.parametrize("space", ["", XMLNS], ids=["bare", "in a name space"])
def test_every_page_of_a_listing_is_read_and_its_keys_are_as_they_were_put(
    server: Served, getter: Getter, space: str
) -> None:
    def answer(_: str, asked: dict[str, str]) -> Got:
        assert (asked["list-type"], asked["prefix"], asked["encoding-type"]) == ("2", "a/", "url")
        page = PAGES[asked.get("continuation-token", "")]
        return Got(200, {}, f"<ListBucketResult {space}>{page}</ListBucketResult>".encode())

    server.answer = answer
    assert list(listed(getter, "audit-logs", "a/")) == [Listed("a/1 2%", '"ab"', 3), Listed("a/é", '"cd"', 4)]


REFUSALS = {
    "denied": (Got(403, {}, b"<Error/>"), r"cannot be listed: status 403\. The role needs s3:ListBucket"),
    "no XML": (Got(200, {}, b"Welcome!"), "cannot be listed: expected XML"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_why_a_bucket_cannot_be_listed_is_said(server: Served, getter: Getter, case: str) -> None:
    told, sentence = REFUSALS[case]
    server.answer = lambda _key, _asked: told
    with pytest.raises(NotReadable, match=sentence):
        list(listed(getter, "audit-logs", ""))


def test_an_object_that_is_not_there_is_none_and_one_that_is_denied_is_not(server: Served, getter: Getter) -> None:
    assert fetch(getter, "audit-logs", "a") is None
    server.answer = lambda _key, _asked: Got(403, {}, b"<Error/>")
    with pytest.raises(NotReadable, match=r"s3://audit-logs/a cannot be read: status 403.*s3:GetObject"):
        fetch(getter, "audit-logs", "a")
