"""Callers who bring a token instead of a signature."""

import base64
import json

import pytest

from trailstate.identity.federated import from_token

ACCOUNT = "111122223333"


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.signature"


def test_a_web_identity_is_issuer_audience_and_subject() -> None:
    token = jwt({"iss": "https://token.ci.example", "aud": "sts.amazonaws.com", "sub": "repo:acme/app"})
    caller = from_token("AssumeRoleWithWebIdentity", {"WebIdentityToken": token}, ACCOUNT)
    assert caller is not None
    assert caller.type == "WebIdentityUser"
    assert caller.principal_id == "token.ci.example:sts.amazonaws.com:repo:acme/app"
    assert (caller.user_name, caller.identity_provider) == ("repo:acme/app", "token.ci.example")


def test_a_saml_subject_is_named_by_its_issuer() -> None:
    assertion = b"<saml:Issuer>https://idp.example</saml:Issuer><saml:NameID Format='x'>dana</saml:NameID>"
    parameters = {"SAMLAssertion": base64.b64encode(assertion).decode()}
    caller = from_token("AssumeRoleWithSAML", parameters, ACCOUNT)
    assert caller is not None
    assert (caller.type, caller.user_name, caller.principal_id) == ("SAMLUser", "dana", "https://idp.example:dana")


@pytest.mark.parametrize("token", ["", "no.dots", "a.b.c", "x." + "A" * 200_000 + ".y", jwt([1]), jwt("text")])
def test_an_unreadable_token_names_nobody_but_breaks_nothing(token: str) -> None:
    caller = from_token("AssumeRoleWithWebIdentity", {"WebIdentityToken": token}, ACCOUNT)
    assert caller is not None
    assert caller.principal_id == "unknown"


def test_other_calls_bring_no_token() -> None:
    assert from_token("AssumeRole", {}, ACCOUNT) is None
