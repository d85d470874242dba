"""A frame becomes the environment of a WSGI application (PEP 3333), as moto's own server would have built it.

Three things differ, and on purpose. Clients cannot speak to moto by `x-moto-*` headers: the house alone says the
account. The region is the house's. A bucket named by the Host header moves into the path, so that the name under which
this machine is reached never reads as a bucket.
"""

import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY

from trailstate.estate.frames import Serve

PRIVATE_PREFIX = "x-moto-"
DROPPED = {"transfer-encoding", "content-length", "connection", "expect", "upgrade", "te", "trailer"}
UNPREFIXED = {"content-type": "CONTENT_TYPE"}
METADATA_PREFIX = "x-amz-meta-"

SCOPE = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
QUERY_SCOPE = re.compile(
    r"X-Amz-Credential=(?P<key>[^&/%]+)(?:%2F|/)\d{8}(?:%2F|/)[^&/%]+(?:%2F|/)(?P<service>[^&/%]+)", re.I
)
VPC_ENDPOINT = ".vpce.amazonaws.com"
AGENT_REGION = re.compile(r"\bregion/")


def environ_of(frame: Serve, body: BinaryIO, size: int) -> dict[str, Any]:
    """Everything moto may know of the request."""
    target = _path_style(frame)
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": frame.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": frame.source_address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(size),
        "HTTP_HOST": "localhost",
    }
    environ |= _header_lines(frame.headers)
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = frame.account
    _place_in_region(environ, frame)
    return environ


def scoped_authorization(environ: dict[str, Any], frame: Serve) -> str:
    """An Authorization header that names service and region in the usual form, whatever the client sent."""
    given: str = environ.get("HTTP_AUTHORIZATION", "")
    if SCOPE.search(given):
        return given
    presigned = QUERY_SCOPE.search(frame.target)
    service = presigned["service"] if presigned else frame.service
    key = presigned["key"] if presigned else "AKIAEXAMPLE"
    scope = f"{key}/19700101/{frame.region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def _header_lines(headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Header fields under their WSGI names. A name with an underscore would pass for the one with a dash, so it only
    stays where S3 tells the two apart, in objects' metadata."""
    lines: dict[str, Any] = {}
    spelling: dict[str, str] = {}
    for name, value in sorted(headers, key=lambda header: "_" in header[0]):
        lower = name.lower()
        if lower in DROPPED or lower.startswith(PRIVATE_PREFIX):
            continue
        key = UNPREFIXED.get(lower, "HTTP_" + lower.upper().replace("-", "_"))
        if "_" in lower:
            if not lower.startswith(METADATA_PREFIX) or (key in lines and key not in spelling):
                continue
            spelling[key] = name
        lines[key] = f"{lines[key]},{value}" if key in lines else value
    lines[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelling
    return lines


def _place_in_region(environ: dict[str, Any], frame: Serve) -> None:
    given: str = environ.get("HTTP_AUTHORIZATION", "")
    if given:
        environ["HTTP_AUTHORIZATION"] = SCOPE.sub(
            rf"Credential=\g<key>/\g<date>/{frame.region}/\g<service>/aws4_request", given
        )
    if VPC_ENDPOINT in environ["HTTP_HOST"]:
        environ["HTTP_HOST"] = "localhost"  # moto would read a region into the endpoint's name
    agent: str = environ.get("HTTP_USER_AGENT", "")
    if "region/" in agent:
        # moto believes a region in the agent's name before the one in the signature.
        environ["HTTP_USER_AGENT"] = AGENT_REGION.sub("region-", agent)
    if frame.service != "s3" and not given:
        environ["HTTP_AUTHORIZATION"] = scoped_authorization(environ, frame)


def _path_style(frame: Serve) -> str:
    """The target with the bucket in front of the key, wherever the client had put it."""
    return f"/{frame.bucket}{frame.target}" if frame.bucket else frame.target
