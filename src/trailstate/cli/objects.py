"""A bucket's objects over plain signed GETs: which there are (ListObjectsV2), and each as it lies there (GetObject).

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
A client builds a value by its model out of every member of every object listed, and takes ten times as long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from trailstate.cli.getting import Getter, Got
from trailstate.trail.verify.source import Fetched

METADATA = "x-amz-meta-"
HTTP_OK, HTTP_NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True)
class Where:
    """Where a bucket answers."""

    bucket: str
    address: str
    region: str


class NotReadable(Exception):
    """The bucket or an object cannot be read; the message says why and what is needed."""


class Listed(NamedTuple):
    """One object of a listing."""

    key: str
    etag: str
    size: int


def listed(getter: Getter, bucket: str, prefix: str) -> Iterator[Listed]:
    """Everything below the prefix, in order; raises NotReadable."""
    asked = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
    token: str | None = ""
    while token is not None:
        page = _page(bucket, _answer(f"s3://{bucket}", getter, "", asked))
        yield from page.objects
        token = page.following
        asked["continuation-token"] = token or ""


def fetch(getter: Getter, bucket: str, key: str) -> Fetched | None:
    """The object; None when there is none. Raises NotReadable."""
    return fetched(f"s3://{bucket}/{key}", _answer(f"s3://{bucket}/{key}", getter, f"/{key}", {}))


def fetched(name: str, got: Got) -> Fetched | None:
    """The answer to a GetObject as what it says; raises NotReadable."""
    if got.status == HTTP_NOT_FOUND:
        return None
    if got.status != HTTP_OK:
        needed = "s3:GetObject (and kms:Decrypt where the bucket is encrypted)"
        raise NotReadable(f"{name} cannot be read: status {got.status}. The role needs {needed}.")
    metadata = {key.removeprefix(METADATA): value for key, value in got.headers.items() if key.startswith(METADATA)}
    return Fetched(got.body, metadata)


def _answer(name: str, getter: Getter, path: str, asked: dict[str, str]) -> Got:
    try:
        return getter.get(path, asked)
    except OSError as error:
        raise NotReadable(f"{name} cannot be read: {error}.") from None


class _Page(NamedTuple):
    objects: list[Listed]
    following: str | None
    """The token that the next page is asked with; None when this is the last one."""


def _page(bucket: str, got: Got) -> _Page:
    if got.status != HTTP_OK:
        told = f"status {got.status}. The role needs s3:ListBucket"
        raise NotReadable(f"s3://{bucket} cannot be listed: {told}.")
    try:
        page = ET.fromstring(got.body)  # noqa: S314 - as botocore would read it
    except ET.ParseError as error:
        raise NotReadable(f"s3://{bucket} cannot be listed: expected XML from the server ({error}).") from None
    space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
    objects = [_object(each, space) for each in page.iterfind(f"{space}Contents")]
    return _Page(objects, page.findtext(f"{space}NextContinuationToken"))


def _object(found: ET.Element, space: str) -> Listed:
    text = found.findtext(f"{space}Key", "")
    key = unquote_plus(text) if "%" in text or "+" in text else text
    return Listed(key, found.findtext(f"{space}ETag", ""), int(found.findtext(f"{space}Size", "0")))
