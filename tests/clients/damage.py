"""Requests as the model allows them, and the same requests damaged in value, body or envelope. One seed, one series."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.wire.sample import Drawn, smallest
from trailstate.wire import model
from trailstate.wire.call import WireRequest
from trailstate.wire.serialize import serialize

ACCOUNT = "111122223333"
REGION = "us-east-1"
HERE = "@@HERE@@"
DEEP = 1000
LONG_BYTES = 200_000
BOMB_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attack:
    """One request and what is wrong with it."""

    service: str
    operation: str
    protocol: str
    """The protocol whose error form the answer must have; empty where the damage leaves that open."""
    damage: str
    request: WireRequest

    def __str__(self) -> str:
        body = self.request.body
        shown = body if len(body) <= 300 else body[:300] + b"..."
        return (
            f"{self.service} {self.operation}, {self.damage}: {self.request.method} {self.request.target!r} {shown!r}"
        )


# ---- values: what stands in the place of one member ----

JSON_VALUES = {
    "null": b"null",
    "true": b"true",
    "zero": b"0",
    "negative": b"-1",
    "fraction": b"1.5",
    "text": b'"x"',
    "empty text": b'""',
    "list": b"[]",
    "list of null": b"[null]",
    "object": b"{}",
    "object of null": b'{"": null}',
    "list in list": b"[[]]",
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "1e400": b"1e400",
    "1e300": b"1e300",
    "10^400": b"1" + b"0" * 400,
    "2^63": b"9223372036854775808",
    "200,000 digits": b"9" * LONG_BYTES,
    "year 10000": b"253402300800",
    "before year 1": b"-62135596801",
    "no date": b'"2026-13-45T99:99:99Z"',
    "no base64": b'"***"',
    "half base64": b'"AAAAA"',
    "lone high surrogate": rb'"\ud800"',
    "lone low surrogate": rb'"x\udc00y"',
    "escaped NUL": rb'"\u0000"',
    "bare control character": b'"\x01"',
    "not UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "encoded surrogate": b'"\xed\xa0\x80"',
    "same key twice": b'{"a": 1, "a": 2}',
    "same key twice, escaped": rb'{"a": 1, "\u0061": 2}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and open": b"[" * 100_000,
    "huge text": b'"' + b"x" * LONG_BYTES + b'"',
    "huge list": b"[" + b"1," * 50_000 + b"1]",
    "many keys": b"{" + b",".join(b'"%d":1' % each for each in range(20_000)) + b"}",
    "hexadecimal": b"0x10",
    "leading zero": b"007",
    "single quotes": b"'x'",
    "comment": b"/**/1",
    "nothing": b"",
}

TEXT_VALUES = {
    "empty": b"",
    "space": b"+",
    "not a number": b"x",
    "negative": b"-1",
    "NaN": b"NaN",
    "1e400": b"1e400",
    "10^400": b"1" + b"0" * 400,
    "5,000 digits": b"9" * 5000,
    "year 10000": b"10000-01-01T00%3A00%3A00Z",
    "no date": b"2026-13-45T99%3A99%3A99Z",
    "no base64": b"***",
    "escaped NUL": b"%00",
    "line break": b"%0d%0a",
    "not UTF-8": b"%ff%fe",
    "encoded surrogate": b"%ed%a0%80",
    "half an escape": b"%",
    "no escape": b"%zz",
    "markup": b"%3C%2Fx%3E%26%00%5D%5D%3E",
    "huge": b"x" * LONG_BYTES,
}


def json_value_damages(request: WireRequest, random_: random.Random) -> Iterator[tuple[str, WireRequest]]:
    """Each value in the place of a node drawn from the body; then each member is left out."""
    if request.body[:1] not in (b"", b"{"):
        return  # the body is a file of the user's, not an object of the API
    tree = json.loads(request.body or b"{}")
    paths = list(_paths(tree))
    for name, fragment in JSON_VALUES.items():
        if paths:
            path = random_.choice(paths)
            text = json.dumps(_planted(tree, path)).encode().replace(f'"{HERE}"'.encode(), fragment)
            yield f"{name} at {'.'.join(map(str, path))}", with_body(request, text)
    for member in tree:
        rest = {name: value for name, value in tree.items() if name != member}
        yield f"without {member}", with_body(request, json.dumps(rest).encode())
    yield "unknown member", with_body(request, json.dumps(tree | {"Unknown": {"a": [1]}}).encode())


def form_value_damages(request: WireRequest, random_: random.Random) -> Iterator[tuple[str, WireRequest]]:
    """The same for the pairs of a form (query, ec2)."""
    pairs = request.body.split(b"&")
    for name, text in TEXT_VALUES.items():
        spot = random_.randrange(len(pairs))
        key = pairs[spot].partition(b"=")[0]
        yield (
            f"{name} at {key.decode()}",
            with_body(request, b"&".join([*pairs[:spot], key + b"=" + text, *pairs[spot + 1 :]])),
        )
    member = next((each.partition(b"=")[0] for each in pairs if b"." in each), b"Filter.1.Name").partition(b".")[0]
    for name, extra in {
        "far index": member + b".member.999999999999=x&" + member + b".999999999999=x",
        "negative index": member + b".member.-1=x&" + member + b".-1.Name=x",
        "index zero": member + b".0=x&" + member + b".member.0=x",
        "scalar and structure": member + b"=x&" + member + b".1.Name=y",
        "many indices": b"&".join(member + b".%d=x" % each for each in range(5000)),
        "deep name": member + b".a" * DEEP + b"=x",
        "empty names": b"=x&=&&&..=x&.a=x&a.=x&%00=%00",
        "the same name twice": pairs[-1] + b"&" + pairs[-1],
        "two actions": b"Action=x",
        "many pairs": b"&".join(b"a%d=x" % each for each in range(20_000)),
    }.items():
        yield name, with_body(request, request.body + b"&" + extra)


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _paths(value, (*path, key))


def _planted(tree: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return HERE
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = _planted(tree[path[0]], path[1:])
    return copy


# ---- bodies: what stands in the place of the whole ----

XML_BODIES = {
    "no root": b"<!-- nothing -->",
    "another root": b"<Nobody/>",
    "empty root": b"<Tagging/>",
    "null elements": b"<Tagging><TagSet><Tag/><Tag><Key/></Tag></TagSet></Tagging>",
    "text for structure": b"<Tagging>x<TagSet>y</TagSet></Tagging>",
    "not UTF-8": b"<Tagging><TagSet><Tag><Key>\xff</Key></Tag></TagSet></Tagging>",
    "a strange encoding": b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>',
    "an unknown namespace": b'<a:b xmlns="urn:x"/>',
    "processing instruction": b'<?xml-stylesheet href="file:///etc/passwd"?><a/>',
    "XInclude": b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></a>',
}


def xml_value_damages(request: WireRequest, _: random.Random) -> Iterator[tuple[str, WireRequest]]:
    """What XML can do that is not a matter of one value."""
    for name, body in XML_BODIES.items():
        yield name, with_body(request, body)
    for name, body in XML_BODIES.items():
        yield f"{name} after the body", with_body(request, request.body + body)


BODIES = {
    "empty body": b"",
    "blank body": b" \r\n\t ",
    "NUL": b"\0",
    "open object": b"{",
    "text": b'"text"',
    "number": b"7",
    "null": b"null",
    "list": b"[]",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "two objects": b"{}{}",
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "UTF-32": "{}".encode("utf-32"),
    "random bytes": random.Random(7).randbytes(2000),
    "huge text": b"x" * 900_000,
    "markup": b"<html><body>hello</body></html>",
    "billion laughs": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "&a%d;&a%d;&a%d;&a%d;">' % (n + 1, n, n, n, n) for n in range(20))
    + b"]><a>&a20;</a>",
    "quadratic entity": b'<!DOCTYPE a [<!ENTITY e "' + b"x" * 50_000 + b'">]><a>' + b"&e;" * 50_000 + b"</a>",
    "external entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]><a/>',
    "deep markup": b"<a>" * 100_000 + b"</a>" * 100_000,
    "open markup": b"<a><b>",
    "many attributes": b"<a " + b" ".join(b'a%d="x"' % n for n in range(20_000)) + b"/>",
    "endless CBOR map": b"\xbf" * 5000,
    "huge CBOR array": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "huge CBOR text": b"\x7b\x00\x00\x00\xff\xff\xff\xff\xff",
    "CBOR tags": b"\xc1" * 5000 + b"\x00",
    "CBOR bignum": b"\xc2\x5a\x00\x01\x00\x00" + b"\xff" * 65536,
    "CBOR shared value": b"\xd8\x1c\x81\xd8\x1d\x00",
    "CBOR NaN key": b"\xa1\xf9\x7e\x00\x01",
    "open form": b"Action=&Version=&%&=&&",
}


def body_damages(request: WireRequest, random_: random.Random) -> Iterator[tuple[str, WireRequest]]:
    for name, body in BODIES.items():
        yield name, with_body(request, body)
    for turn in range(4):
        yield f"flipped bytes {turn}", with_body(request, flipped(request.body, random_))
    yield "cut short", with_body(request, request.body[: random_.randrange(len(request.body) + 1)])
    yield "said twice", with_body(request, request.body * 2)


def flipped(text: bytes, random_: random.Random) -> bytes:
    """One to four bytes replaced by others."""
    damaged = bytearray(text or b"{}")
    for _ in range(random_.randint(1, 4)):
        damaged[random_.randrange(len(damaged))] = random_.randrange(256)
    return bytes(damaged)


# ---- envelopes: method, target, headers ----

HEADERS: dict[str, dict[str, str | None]] = {
    "no content type": {"content-type": None},
    "content type text/html": {"content-type": "text/html"},
    "content type of many parts": {"content-type": "multipart/form-data; boundary=x"},
    "content type in UTF-16": {"content-type": "application/x-amz-json-1.1; charset=utf-16"},
    "content type CBOR": {"content-type": "application/cbor"},
    "content type form": {"content-type": "application/x-www-form-urlencoded"},
    "content type XML": {"content-type": "application/xml"},
    "content type without sense": {"content-type": ";;;=/\xff"},
    "no target": {"x-amz-target": None},
    "empty target": {"x-amz-target": ""},
    "target without a dot": {"x-amz-target": "LookupEvents"},
    "target of nobody": {"x-amz-target": "Nobody_20260101.DoNothing"},
    "unknown operation": {"x-amz-target": "StarlingDoveService.DoNothing"},
    "operation with markup": {"x-amz-target": "StarlingDoveService.<b>%s{}</b>"},
    "target of 5,000 characters": {"x-amz-target": "StarlingDoveService." + "x" * 5000},
    "target in latin-1": {"x-amz-target": "StarlingDoveService.D\xf6\xff"},
    "target of dots": {"x-amz-target": "....."},
    "no signature": {"authorization": None},
    "signature of one word": {"authorization": "AWS4-HMAC-SHA256"},
    "signature with an empty credential": {
        "authorization": "AWS4-HMAC-SHA256 Credential=, SignedHeaders=host, Signature=0"
    },
    "signature with a short scope": {
        "authorization": "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0"
    },
    "signature with slashes only": {
        "authorization": "AWS4-HMAC-SHA256 Credential=//////, SignedHeaders=host, Signature=0"
    },
    "signature for a strange region": {
        "authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260115/'; DROP/config/aws4_request, "
        "SignedHeaders=host, Signature=0"
    },
    "signature for a region of 5,000": {
        "authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260115/{'x' * 5000}/config/aws4_request, "
        "SignedHeaders=host, Signature=0"
    },
    "signature with a key of 5,000": {
        "authorization": f"AWS4-HMAC-SHA256 Credential={'K' * 5000}/20260115/us-east-1/config/aws4_request, "
        "SignedHeaders=host, Signature=0"
    },
    "signature in latin-1": {
        "authorization": "AWS4-HMAC-SHA256 Credential=\xe4\xff/20260115/us-east-1/config/aws4_request, "
        "SignedHeaders=host, Signature=0"
    },
    "basic authorization": {"authorization": "Basic Zm9vOmJhcg=="},
    "bearer authorization": {"authorization": "Bearer x"},
    "signature version 2": {"authorization": "AWS AKIA:x"},
    "asymmetric signature": {
        "authorization": f"AWS4-ECDSA-P256-SHA256 Credential={ACCOUNT}/20260115/config/aws4_request, "
        "SignedHeaders=host, Signature=0"
    },
    "date without sense": {"x-amz-date": "yesterday"},
    "no gzip": {"content-encoding": "gzip"},
    "unknown coding": {"content-encoding": "x-strange"},
    "four codings": {"content-encoding": "gzip, gzip, gzip, gzip"},
    "strange host": {"host": "..[::]%00.s3.amazonaws.com"},
    "agent of 20,000": {"user-agent": "\xff" * 20_000},
    "CBOR without a body of it": {"smithy-protocol": "rpc-v2-cbor"},
}

TARGETS = {
    "half an escape": "/%",
    "no escape": "/%zz",
    "NUL": "/%00",
    "not UTF-8": "/%ff%fe",
    "dots": "/../../%2e%2e/etc/passwd",
    "slashes": "//////",
    "long path": "/" + "a/" * 5000,
    "query without sense": "/?%&=&&%zz=%ff&a",
    "query of 30,000": "/?" + "a=1&" * 7500,
    "presigned without sense": "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%2F%2F&X-Amz-Signature=x",
    "action in the query": "/?Action=GetCallerIdentity&Action=x&Version=1",
    "strange CBOR path": "/service/CloudTrail_20131101/operation/LookupEvents",
    "CBOR path of nobody": "/service/%ff/operation/",
}


def envelope_damages(request: WireRequest, random_: random.Random) -> Iterator[tuple[str, WireRequest]]:
    for name, changes in HEADERS.items():
        yield name, with_headers(request, changes)
    for name, target in TARGETS.items():
        yield f"target {name}", replace(request, target=target)
        yield f"path and {name}", replace(request, target=request.path.rstrip("/") + target)
    for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"):
        yield f"method {method}", replace(request, method=method)
    yield "flipped target", replace(request, target=_visible(flipped(request.target.encode(), random_)))


def _visible(target: bytes) -> str:
    return "/" + "".join(chr(each) if 33 <= each <= 126 and each != 35 else "%" for each in target[1:])


def gzip_bomb(request: WireRequest, size_bytes: int = BOMB_BYTES) -> WireRequest:
    """A small body that says it is a large one."""
    piece = b" " * (1024 * 1024)
    packed = gzip.compress(piece) * (size_bytes // len(piece))
    return with_headers(with_body(request, packed[: 1024 * 1024]), {"content-encoding": "gzip"})


# ---- requests ----

ValueDamages = Callable[[WireRequest, random.Random], Iterator[tuple[str, WireRequest]]]
VALUE_DAMAGES: dict[str, ValueDamages] = {
    "json": json_value_damages,
    "rest-json": json_value_damages,
    "query": form_value_damages,
    "rest-xml": xml_value_damages,
    "ec2": form_value_damages,
}


def valid(service: str, operation: str, seed: int) -> list[WireRequest]:
    """The smallest request that the operation accepts, and a full one."""
    shape = model.operation_model(service, operation).input_shape
    return [request_of(service, operation, each) for each in (smallest(shape), Drawn(seed).parameters(shape))]


def request_of(service: str, operation: str, parameters: dict[str, Any]) -> WireRequest:
    """As botocore's client would send it, but for what a header cannot hold."""
    made = serialize(service, operation, parameters, region=REGION, access_key_id=ACCOUNT)
    lines = tuple(
        (name, value.replace("\n", " ").encode("latin-1", "replace").decode("latin-1")) for name, value in made.headers
    )
    return replace(made, headers=lines)


def attacks(service: str, operation: str, seed: int, count: int | None = None) -> list[Attack]:
    """Valid and damaged requests for one operation: `count` drawn ones, or all."""
    random_ = random.Random(f"{seed} {service} {operation}")
    protocol = model.protocol(service)
    least, full = valid(service, operation, seed)
    known = [("as the model allows", least), ("full", full)]
    if protocol in VALUE_DAMAGES:
        known += VALUE_DAMAGES[protocol](full, random_)
    known += body_damages(full, random_)
    made = [Attack(service, operation, protocol, *each) for each in known]
    made += [Attack(service, operation, "", *each) for each in envelope_damages(full, random_)]
    return made if count is None else made[:1] + random_.sample(made[1:], count - 1)


def with_body(request: WireRequest, body: bytes) -> WireRequest:
    return replace(request, body=body, body_size=len(body))


def with_headers(request: WireRequest, changes: dict[str, str | None]) -> WireRequest:
    kept = tuple(line for line in request.headers if line[0] not in changes)
    return replace(request, headers=kept + tuple((name, value) for name, value in changes.items() if value is not None))
