"""A frame becomes the environment of a WSGI application (PEP 3333), as moto's own server would have built it.

Three things differ, and on purpose. Clients cannot speak to moto by `x-moto-*` headers: the house alone says the
account. The region is the house's. A bucket named by the Host header moves into the path, so that the name under which
this machine is reached never reads as a bucket.
"""

import io
import re
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY

from trailstate.estate.frames import Serve

PRIVATE_PREFIX = "x-moto-"
DROPPED = {"transfer-encoding", "content-length", "connection", "expect", "upgrade", "te", "trailer"}
UNPREFIXED = {"content-type": "CONTENT_TYPE"}
METADATA_PREFIX = "x-amz-meta-"
NAMES_KEPT = 512
CONSTANT = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}

SCOPE = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
QUERY_SCOPE = re.compile(
    r"X-Amz-Credential=(?P<key>[^&/%]+)(?:%2F|/)\d{8}(?:%2F|/)[^&/%]+(?:%2F|/)(?P<service>[^&/%]+)", re.I
)
VPC_ENDPOINT = ".vpce.amazonaws.com"
NOBODYS_KEY = "AKIAEXAMPLE"
UNDATED = "19700101"
AGENT_REGION = re.compile(r"\bregion/")


def environ_of(frame: Serve, body: BinaryIO, size: int) -> dict[str, Any]:
    """Everything moto may know of the request."""
    target = _path_style(frame)
    path, _, query = target.partition("?")
    environ = {
        **CONSTANT,
        "REQUEST_METHOD": frame.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "REMOTE_ADDR": frame.source_address,
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(size),
        "HTTP_HOST": "localhost",
    }
    _put_headers(environ, frame.headers)
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = frame.account
    _place_in_region(environ, frame)
    return environ


def scoped_authorization(given: str, frame: Serve) -> str:
    """An Authorization header that names service and region in the usual form, whatever the client sent."""
    signed = SCOPE.search(given)
    if signed:
        return _authorization(signed["key"], signed["date"], frame.region, signed["service"])
    presigned = QUERY_SCOPE.search(frame.target)
    if presigned:
        return _authorization(presigned["key"], UNDATED, frame.region, presigned["service"])
    return _authorization(NOBODYS_KEY, UNDATED, frame.region, frame.service)


def _authorization(key: str, date: str, region: str, service: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={key}/{date}/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"


def _put_headers(environ: dict[str, Any], headers: list[tuple[str, str]]) -> None:
    """Header fields under their WSGI names; several of one name as one."""
    spelling: dict[str, str] = {}
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelling
    given = set()
    underscored = []
    for line in headers:
        key = _key_of(line[0])
        if "_" in line[0]:
            underscored.append(line)
        elif key:
            environ[key] = f"{environ[key]},{line[1]}" if key in given else line[1]
            given.add(key)
    for name, value in underscored:
        _put_underscored(environ, given, name, value)


def _put_underscored(environ: dict[str, Any], given: set[str], name: str, value: str) -> None:
    """A name with an underscore would pass for the one with a dash, so it only stays where S3 tells the two apart, in
    objects' metadata."""
    spelling = environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY]
    key = _key_of(name)
    if not key or not name.lower().startswith(METADATA_PREFIX) or key in given:
        return
    environ[key] = f"{environ[key]},{value}" if key in spelling else value
    spelling[key] = name


@lru_cache(maxsize=NAMES_KEPT)
def _key_of(name: str) -> str:
    """The WSGI name of a header field; none of one that moto is not to see."""
    lower = name.lower()
    if lower in DROPPED or lower.startswith(PRIVATE_PREFIX):
        return ""
    return UNPREFIXED.get(lower, "HTTP_" + lower.upper().replace("-", "_"))


def _place_in_region(environ: dict[str, Any], frame: Serve) -> None:
    given: str = environ.get("HTTP_AUTHORIZATION", "")
    if SCOPE.search(given) or (frame.service != "s3" and not given):
        environ["HTTP_AUTHORIZATION"] = scoped_authorization(given, frame)
    if VPC_ENDPOINT in environ["HTTP_HOST"]:
        environ["HTTP_HOST"] = "localhost"  # moto would read a region into the endpoint's name
    agent: str = environ.get("HTTP_USER_AGENT", "")
    if "region/" in agent:
        # moto believes a region in the agent's name before the one in the signature.
        environ["HTTP_USER_AGENT"] = AGENT_REGION.sub("region-", agent)


def _path_style(frame: Serve) -> str:
    """The target with the bucket in front of the key, wherever the client had put it."""
    return f"/{frame.bucket}{frame.target}" if frame.bucket else frame.target
