"""Who signed a request, for which region and service: read, not verified.

Follows "Signature Version 4 signing" in the IAM user guide and "Signing and authenticating REST requests" (version 2)
in the S3 user guide. Verifying needs the secret and belongs to `identity`; it will start from what is read here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

AUTH_HEADER = "AuthHeader"
QUERY_STRING = "QueryString"


class UnreadableSignature(ValueError):
    """The request claims to be signed, and does not say by whom in any known form."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signature says of itself. An anonymous request has the empty one."""

    access_key_id: str | None = None
    date: str = ""
    """The scope's day, `20260115`; empty for version 2."""
    region: str = ""
    """Empty when the scope names none (version 2) or several (SigV4A)."""
    service: str = ""
    """The signing name: `monitoring` for CloudWatch."""
    version: str = ""
    """SigV4, SigV2, or empty."""
    via: str = ""
    """AuthHeader, QueryString, or empty."""
    token: str | None = None
    """The session token of temporary credentials, or a bearer token."""


ANONYMOUS = Signature()


def read_signature(headers: Mapping[str, str], query: Mapping[str, str]) -> Signature:
    """The signature of a request, from its headers (lower case names) and its query parameters.

    Raises UnreadableSignature.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        return _from_header(authorization, headers)
    if "X-Amz-Credential" in query or "X-Amz-Algorithm" in query:
        return _presigned(query)
    if "AWSAccessKeyId" in query and "Signature" in query:
        return version_2(query)
    return ANONYMOUS


def version_2(parameters: Mapping[str, str]) -> Signature:
    """A version 2 signature among query or form parameters."""
    return Signature(
        parameters["AWSAccessKeyId"],
        version="SigV2",
        via=QUERY_STRING,
        token=parameters.get("SecurityToken") or parameters.get("x-amz-security-token"),
    )


def _from_header(authorization: str, headers: Mapping[str, str]) -> Signature:
    scheme, _, rest = authorization.strip().partition(" ")
    token = headers.get("x-amz-security-token")
    if scheme == "AWS4-HMAC-SHA256" or scheme == "AWS4-ECDSA-P256-SHA256":
        parts = _header_parts(rest)
        return _scoped(parts["Credential"], scheme, headers.get("x-amz-region-set", ""), AUTH_HEADER, token)
    if scheme == "AWS":
        access_key, _, signature = rest.strip().rpartition(":")
        if not access_key or not signature:
            raise UnreadableSignature("Authorization header requires 'AWS', an access key id, ':' and a signature.")
        return Signature(access_key, version="SigV2", via=AUTH_HEADER, token=token)
    if scheme.lower() == "bearer" and rest:
        return Signature(token=rest.strip())
    raise UnreadableSignature("Unsupported Authorization type.")


_PART = re.compile(r"\s*([A-Za-z]+)=([^,\s]*)\s*(?:,|$|\s)")


def _header_parts(rest: str) -> dict[str, str]:
    parts = dict(_PART.findall(rest))
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if missing:
        wanted = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise UnreadableSignature(wanted)
    return parts


def _presigned(query: Mapping[str, str]) -> Signature:
    algorithm = query.get("X-Amz-Algorithm", "")
    if algorithm not in {"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"}:
        raise UnreadableSignature("X-Amz-Algorithm must be AWS4-HMAC-SHA256 or AWS4-ECDSA-P256-SHA256.")
    missing = [name for name in ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date") if not query.get(name)]
    if missing:
        raise UnreadableSignature(f"A presigned request requires the parameter '{missing[0]}'.")
    region_set = query.get("X-Amz-Region-Set", "")
    return _scoped(query["X-Amz-Credential"], algorithm, region_set, QUERY_STRING, query.get("X-Amz-Security-Token"))


def _scoped(credential: str, algorithm: str, region_set: str, via: str, token: str | None) -> Signature:
    """SigV4's credential is key/date/region/service/aws4_request; SigV4A leaves the region out."""
    fields = 4 if algorithm == "AWS4-HMAC-SHA256" else 3
    access_key, *scope = credential.rsplit("/", fields)
    if not access_key or len(scope) != fields or scope[-1] != "aws4_request" or not all(scope):
        raise UnreadableSignature(
            "Credential must be an access key id and a scope of date, region, service and 'aws4_request', "
            f"parted by slashes; got '{credential}'."
        )
    region = scope[1] if algorithm == "AWS4-HMAC-SHA256" else _single(region_set)
    return Signature(access_key, scope[0], region, scope[-2], "SigV4", via, token)


def _single(region_set: str) -> str:
    return "" if "," in region_set or "*" in region_set else region_set.strip()
