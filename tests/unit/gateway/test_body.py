"""Bodies are bounded by what the request is signed for, spooled when large, inflated under caps."""

import asyncio
import gzip
import hashlib
import tracemalloc
import zlib
from dataclasses import replace

import pytest

from trailstate.gateway.body import BodyRefused, Refusal, body_bytes_max, gunzip, inflate, read_body, stores_bytes
from trailstate.gateway.limits import MIB, Limits
from trailstate.wire.call import WireRequest


def signed(service: str, method: str = "POST", **headers: str) -> WireRequest:
    scope = f"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260115/us-east-1/{service}/aws4_request, SignedHeaders=host"
    lines = [("authorization", scope), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return WireRequest(method, "/", tuple(lines))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (signed("cloudtrail"), MIB),
        (signed("lambda"), 70 * MIB),
        (signed("s3", "PUT", content_type="application/json"), Limits().upload_bytes),
        (
            WireRequest("PUT", "/b/k?X-Amz-Credential=A%2F20260115%2Fus-east-1%2Fs3%2Faws4_request", ()),
            Limits().upload_bytes,
        ),
        (WireRequest("PUT", "/b/k", ()), Limits().upload_bytes),
        (WireRequest("POST", "/", (("content-type", "application/x-www-form-urlencoded"),)), MIB),
        (WireRequest("PUT", "/", (("x-amz-target", "A.B"),)), MIB),
    ],
)
def test_the_largest_body_follows_from_the_signature(request_: WireRequest, expected: int) -> None:
    assert body_bytes_max(request_, Limits()) == expected


async def taken(request: WireRequest, body: list[bytes], limits: Limits) -> tuple[bytes, bytes | None, int]:
    pieces = iter([*body, b""])

    async def read() -> bytes:
        return next(pieces)

    found = await read_body(request, read, limits)
    if found.file is None:
        return found.data, None, found.size
    with found.file:
        return found.data, found.file.read(), found.size


def test_a_body_up_to_a_mebibyte_stays_in_memory() -> None:
    assert asyncio.run(taken(signed("s3", "PUT"), [b"a" * MIB], Limits())) == (b"a" * MIB, None, MIB)


def test_a_larger_upload_waits_in_a_file() -> None:
    body = [b"a" * MIB, b"b", b"c" * (2 * MIB)]
    assert asyncio.run(taken(signed("s3", "PUT"), body, Limits())) == (b"", b"".join(body), 3 * MIB + 1)


def test_a_body_that_outgrows_its_service_is_refused_as_it_comes() -> None:
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(taken(signed("cloudtrail"), [b"a" * MIB, b"a"], Limits()))
    assert refused.value.kind is Refusal.TOO_LARGE


def test_an_upload_the_disk_cannot_hold_is_refused_before_it_comes() -> None:
    request = signed("s3", "PUT", content_length=str(2 * MIB))
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(taken(request, [], Limits(spool_reserve_bytes=1 << 60)))
    assert refused.value.kind is Refusal.NO_SPACE


def test_a_body_that_stands_still_is_refused() -> None:
    async def read() -> bytes:
        return await asyncio.Future()

    with pytest.raises(BodyRefused) as refused:
        asyncio.run(read_body(signed("sts", content_length="1"), read, Limits(body_seconds=0.02)))
    assert refused.value.kind is Refusal.SLOW


def test_a_compressed_body_is_inflated_and_its_signed_digest_kept() -> None:
    packed = gzip.compress(b'{"Namespace":"n"}')
    request = replace(signed("monitoring", content_encoding="gzip"), body=packed, body_size=len(packed))

    found = inflate(request, Limits())

    assert (found.body, found.body_size) == (b'{"Namespace":"n"}', 17)
    assert found.body_sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("coding", ["gzip", "aws-chunked,gzip", "br"])
def test_what_s3_stores_is_not_touched(coding: str) -> None:
    request = replace(signed("s3", "PUT", content_encoding=coding), body=gzip.compress(b"a"))
    assert stores_bytes(request)
    assert inflate(request, Limits()) is request


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", b"a"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"a", mtime=0), mtime=0)),
        ("gzip", b"not gzip"),
        ("gzip", b""),
        ("gzip", gzip.compress(b"abc", mtime=0)[:-1]),
        ("gzip", gzip.compress(b"abc", mtime=0) + b"more"),
    ],
)
def test_other_codings_and_damaged_data_are_refused(coding: str, body: bytes) -> None:
    with pytest.raises(BodyRefused) as refused:
        inflate(replace(signed("monitoring", content_encoding=coding), body=body), Limits())
    assert refused.value.kind is Refusal.BAD_ENCODING


def test_a_gzip_bomb_is_refused_in_bounded_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    bomb = b"".join(packer.compress(zeros) for _ in range(256)) + packer.flush()
    tracemalloc.start()

    with pytest.raises(BodyRefused) as refused:
        gunzip(bomb, 8 * MIB)

    assert refused.value.kind is Refusal.TOO_LARGE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * MIB
