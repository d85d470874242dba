"""Callers who sign nothing but bring a token: STS AssumeRoleWithWebIdentity and AssumeRoleWithSAML.

CloudTrail names them WebIdentityUser (`issuer:audience:subject`) and SAMLUser (`namequalifier:subject`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from trailstate.wire.call import Principal

TOKEN_BYTES_MAX = 100_000
_NAME_ID = re.compile(rb"<(?:\w+:)?NameID[^>]*>([^<]{1,256})</")
_ISSUER = re.compile(rb"<(?:\w+:)?Issuer[^>]*>([^<]{1,1024})</")


def from_token(operation: str, parameters: Mapping[str, Any], account: str) -> Principal | None:
    """The caller of an unsigned STS call as its token names it; None when this is no such call."""
    if operation == "AssumeRoleWithWebIdentity":
        return _web_identity(parameters, account)
    if operation == "AssumeRoleWithSAML":
        return _saml(parameters, account)
    return None


def _web_identity(parameters: Mapping[str, Any], account: str) -> Principal:
    claims = _claims(str(parameters.get("WebIdentityToken") or ""))
    provider = str(parameters.get("ProviderId") or claims.get("iss") or "unknown").removeprefix("https://")
    audience, subject = str(claims.get("aud", "")), str(claims.get("sub", ""))
    return Principal(
        type="WebIdentityUser",
        account=account,
        principal_id=":".join(part for part in (provider, audience, subject) if part),
        user_name=subject or None,
        identity_provider=provider,
    )


def _saml(parameters: Mapping[str, Any], account: str) -> Principal:
    assertion = _decoded(str(parameters.get("SAMLAssertion") or ""))
    subject, issuer = _NAME_ID.search(assertion), _ISSUER.search(assertion)
    name = subject.group(1).decode("utf-8", "replace") if subject else "unknown"
    provider = issuer.group(1).decode("utf-8", "replace") if issuer else "unknown"
    return Principal(
        type="SAMLUser",
        account=account,
        principal_id=f"{provider}:{name}",
        user_name=name,
        identity_provider=provider,
    )


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = msgspec.json.decode(_decoded(parts[1]))
    except (msgspec.DecodeError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _decoded(text: str) -> bytes:
    if len(text) > TOKEN_BYTES_MAX:
        return b""
    try:
        return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
