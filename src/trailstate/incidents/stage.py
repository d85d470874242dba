"""Where incidents are played: one account behind one endpoint, and the people and roles who act in it.

Everything goes through real boto3 clients, so what is recorded is what any client would leave behind.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

REGION = "us-east-1"
PAGE_SECONDS_MAX = 60
KEYS_MAX = 2
"""IAM's quota of access keys a user."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An access key, and the session token of a temporary one."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    password: str | None = None
    """With which root signs in to the console."""


@dataclass
class Stage:
    """`advance` lets time pass between two acts; on a machine whose clock is not ours it does nothing."""

    endpoint: str
    account: str
    root: Identity
    advance: Callable[[timedelta], object]
    region: str = REGION
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _developers: dict[str, Identity] = field(default_factory=dict)

    @property
    def administrator(self) -> Identity:
        """The lab's administrator of this account: twelve digits choose an account."""
        return Identity(self.account, "test")

    def client(self, service: str, as_: Identity | None = None, region: str | None = None) -> Any:
        """A boto3 client that acts as `as_` (the administrator by default)."""
        identity, region = as_ or self.administrator, region or self.region
        key = (service, identity.access_key_id, region)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=region,
                aws_access_key_id=identity.access_key_id,
                aws_secret_access_key=identity.secret_access_key,
                aws_session_token=identity.session_token,
                config=Config(retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}),
            )
        return self._clients[key]

    def sign_in(self) -> dict[str, Any]:
        """Root signs in to the console; what the page answers."""
        asked = {"account": self.account, "password": self.root.password}
        return self.page("POST", "/_trailstate/signin", asked)

    def page(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One of the server's own pages."""
        parts = urlsplit(self.endpoint)
        connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=PAGE_SECONDS_MAX)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def developer(self, name: str) -> Identity:
        """An IAM user of that name with an access key of their own, the same one in every scene of this stage."""
        if name not in self._developers:
            self._developers[name] = self._new_key(name)
        return self._developers[name]

    def _new_key(self, name: str) -> Identity:
        """A fresh key; a user has two at most, so one that an earlier stage left makes room."""
        iam = self.client("iam")
        if name not in {user["UserName"] for user in iam.list_users()["Users"]}:
            iam.create_user(UserName=name)
        for old in iam.list_access_keys(UserName=name)["AccessKeyMetadata"][KEYS_MAX - 1 :]:
            iam.delete_access_key(UserName=name, AccessKeyId=old["AccessKeyId"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Identity(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, role: str, session: str, by: Identity) -> Identity:
        """`by` assumes a role of that name; made by the administrator if need be."""
        iam = self.client("iam")
        arn = f"arn:aws:iam::{self.account}:role/{role}"
        if role not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_trust(self.account)))
        credentials = self.client("sts", by).assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        return Identity(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def _trust(account: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
