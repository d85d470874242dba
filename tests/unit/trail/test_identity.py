"""Each kind of caller as `userIdentity` tells of it: which members stand there, in which order, and of which type."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from trailstate.trail.identity import user_identity
from trailstate.wire.call import Principal, Session, SessionIssuer, service_principal

ACCOUNT = "111122223333"
MORNING = datetime(2026, 1, 15, 9, 30, 5, 999_999, tzinfo=UTC)
ATTRIBUTES = {"creationDate": "2026-01-15T09:30:05Z", "mfaAuthenticated": "false"}
ROLE = SessionIssuer("Role", "AROAEXAMPLE", f"arn:aws:iam::{ACCOUNT}:role/admin", ACCOUNT, "admin")
ROLE_AS_WRITTEN = {
    "type": "Role",
    "principalId": "AROAEXAMPLE",
    "arn": "arn:aws:iam::111122223333:role/admin",
    "accountId": "111122223333",
    "userName": "admin",
}
ALICE = Principal(
    "IAMUser", ACCOUNT, "AIDAALICE", f"arn:aws:iam::{ACCOUNT}:user/alice", "alice", "AKIAIOSFODNN7EXAMPLE"
)
ADMIN = Principal(
    "AssumedRole", ACCOUNT, "AROAEXAMPLE:alice", f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/alice",
    access_key_id="ASIAEXAMPLE", session=Session(MORNING, issuer=ROLE),
)  # fmt: skip
ALICE_AS_WRITTEN = {
    "type": "IAMUser",
    "principalId": "AIDAALICE",
    "arn": "arn:aws:iam::111122223333:user/alice",
    "accountId": "111122223333",
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "userName": "alice",
}
ADMIN_AS_WRITTEN = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:alice",
    "arn": "arn:aws:sts::111122223333:assumed-role/admin/alice",
    "accountId": "111122223333",
    "accessKeyId": "ASIAEXAMPLE",
}

KINDS = {
    "an IAM user with a long-term key has no session": (ALICE, ALICE_AS_WRITTEN),
    "an IAM user with temporary credentials has a session without issuer": (
        replace(ALICE, session=Session(MORNING)),
        ALICE_AS_WRITTEN
        | {"sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": ATTRIBUTES}},
    ),
    "a user whom a service acts for": (
        replace(ALICE, invoked_by="cloudformation.amazonaws.com"),
        ALICE_AS_WRITTEN | {"invokedBy": "cloudformation.amazonaws.com"},
    ),
    "the root user is its account": (
        Principal("Root", ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", access_key_id="AKIAROOT"),
        {
            "type": "Root",
            "principalId": "111122223333",
            "arn": "arn:aws:iam::111122223333:root",
            "accountId": "111122223333",
            "accessKeyId": "AKIAROOT",
        },
    ),
    "a role session names the role": (
        ADMIN,
        ADMIN_AS_WRITTEN
        | {"sessionContext": {"sessionIssuer": ROLE_AS_WRITTEN, "webIdFederationData": {}, "attributes": ATTRIBUTES}},
    ),
    "an instance's role session says how it was delivered, as text": (
        replace(ADMIN, session=Session(MORNING, issuer=ROLE, ec2_role_delivery="2.0")),
        ADMIN_AS_WRITTEN
        | {
            "sessionContext": {
                "sessionIssuer": ROLE_AS_WRITTEN,
                "webIdFederationData": {},
                "attributes": ATTRIBUTES,
                "ec2RoleDelivery": "2.0",
            }
        },
    ),
    "a role session of a web user names the provider": (
        replace(
            ADMIN,
            session=Session(
                MORNING,
                issuer=ROLE,
                web_identity={
                    "federatedProvider": "accounts.google.com",
                    "attributes": {"accounts.google.com:sub": "1"},
                },
            ),
        ),
        ADMIN_AS_WRITTEN
        | {
            "sessionContext": {
                "sessionIssuer": ROLE_AS_WRITTEN,
                "webIdFederationData": {
                    "federatedProvider": "accounts.google.com",
                    "attributes": {"accounts.google.com:sub": "1"},
                },
                "attributes": ATTRIBUTES,
            }
        },
    ),
    "a role session keeps who stood at its beginning": (
        replace(ADMIN, session=Session(MORNING, True, ROLE, source_identity="alice")),
        ADMIN_AS_WRITTEN
        | {
            "sessionContext": {
                "sessionIssuer": ROLE_AS_WRITTEN,
                "webIdFederationData": {},
                "attributes": ATTRIBUTES | {"mfaAuthenticated": "true"},
                "sourceIdentity": "alice",
            }
        },
    ),
    "a federated user names the user who let it in": (
        Principal(
            "FederatedUser", ACCOUNT, f"{ACCOUNT}:bob", f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
            access_key_id="ASIABOB", session=Session(MORNING, issuer=SessionIssuer(
                "IAMUser", "AIDAALICE", ALICE.arn, ACCOUNT, "alice")),
        ),
        {
            "type": "FederatedUser",
            "principalId": "111122223333:bob",
            "arn": "arn:aws:sts::111122223333:federated-user/bob",
            "accountId": "111122223333",
            "accessKeyId": "ASIABOB",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "IAMUser",
                    "principalId": "AIDAALICE",
                    "arn": "arn:aws:iam::111122223333:user/alice",
                    "accountId": "111122223333",
                    "userName": "alice",
                },
                "webIdFederationData": {},
                "attributes": ATTRIBUTES,
            },
        },
    ),
    "a SAML user brings a token, not a key": (
        Principal("SAMLUser", ACCOUNT, "sha=:bob@example.com", user_name="bob@example.com", identity_provider="sha="),
        {
            "type": "SAMLUser",
            "principalId": "sha=:bob@example.com",
            "userName": "bob@example.com",
            "identityProvider": "sha=",
        },
    ),
    "a web user likewise": (
        Principal("WebIdentityUser", ACCOUNT, "accounts.google.com:app:1", user_name="1",
                  identity_provider="accounts.google.com"),
        {
            "type": "WebIdentityUser",
            "principalId": "accounts.google.com:app:1",
            "userName": "1",
            "identityProvider": "accounts.google.com",
        },
    ),
    "a stranger is known by his account": (
        Principal("AWSAccount", "444455556666", "AIDASTRANGER", "arn:aws:iam::444455556666:user/eve", "eve", "AKIAEVE"),
        {"type": "AWSAccount", "principalId": "AIDASTRANGER", "accountId": "444455556666"},
    ),
    "nobody has an empty id": (
        Principal("AWSAccount", "ANONYMOUS_PRINCIPAL"),
        {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"},
    ),
    "a service is only named": (
        service_principal("cloudtrail.amazonaws.com", ACCOUNT),
        {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
    ),
    "of an unknown caller stands what is known": (
        Principal("Unknown", ACCOUNT, access_key_id="AKIANOBODY"),
        {"type": "Unknown", "accountId": "111122223333", "accessKeyId": "AKIANOBODY"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("who", "written"), KINDS.values(), ids=KINDS)
def test_each_kind_of_caller(who: Principal, written: dict[str, object]) -> None:
    # As text, because the order of the members counts too.
    assert json.dumps(user_identity(who), indent=1) == json.dumps(written, indent=1)


def test_the_session_began_in_utc_whatever_the_clock_it_was_read_from() -> None:
    tokyo = MORNING.astimezone(timezone(timedelta(hours=9)))
    attributes = user_identity(replace(ADMIN, session=Session(tokyo)))["sessionContext"]["attributes"]
    assert attributes == ATTRIBUTES
