"""Who is in the record: users, sessions, sessions of sessions, and the sign of a second factor."""

import json
from typing import Any

from trailstate.testing import Lab

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)


def client_with(lab: Lab, service: str, credentials: dict[str, Any]) -> Any:
    return lab.client(
        service,
        key=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


def a_user(lab: Lab, name: str) -> dict[str, Any]:
    """A new user's access key."""
    lab.client("iam").create_user(UserName=name)
    key: dict[str, Any] = lab.client("iam").create_access_key(UserName=name)["AccessKey"]
    return key


def identity(lab: Lab, event: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.recorded(eventName=event)[-1]["userIdentity"]
    return found


def test_a_user_acts_under_its_own_name(lab: Lab) -> None:
    key = a_user(lab, "alice")
    client_with(lab, "sqs", key).create_queue(QueueName="hers")
    user = lab.client("iam").get_user(UserName="alice")["User"]
    assert identity(lab, "CreateQueue") == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": lab.account,
        "accessKeyId": key["AccessKeyId"],
        "userName": "alice",
    }


def test_a_session_names_its_role(lab: Lab) -> None:
    role = lab.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=TRUST)["Role"]
    answer = lab.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="build-17")
    client_with(lab, "ec2", answer["Credentials"]).describe_instances()
    who = identity(lab, "DescribeInstances")
    context = who.pop("sessionContext")
    assert who == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:build-17",
        "arn": f"arn:aws:sts::{lab.account}:assumed-role/deployer/build-17",
        "accountId": lab.account,
        "accessKeyId": answer["Credentials"]["AccessKeyId"],
    }
    assert answer["AssumedRoleUser"]["Arn"] == who["arn"]
    assert context["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": lab.account,
        "userName": "deployer",
    }
    assert context["attributes"]["mfaAuthenticated"] == "false"
    assert answer["Credentials"]["SecretAccessKey"] not in json.dumps(lab.recorded())


def test_a_role_assumed_from_a_role_names_the_second(lab: Lab) -> None:
    arns = [
        lab.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        for name in ("first", "second")
    ]
    one = lab.client("sts").assume_role(RoleArn=arns[0], RoleSessionName="one")["Credentials"]
    two = client_with(lab, "sts", one).assume_role(RoleArn=arns[1], RoleSessionName="two")["Credentials"]
    client_with(lab, "sqs", two).create_queue(QueueName="chained")
    assert identity(lab, "AssumeRole")["arn"].endswith("assumed-role/first/one")
    assert identity(lab, "CreateQueue")["arn"].endswith("assumed-role/second/two")


def test_a_session_with_a_second_factor_says_so(lab: Lab) -> None:
    key = a_user(lab, "bob")
    sts = client_with(lab, "sts", key)
    plain = sts.get_session_token()["Credentials"]
    strong = sts.get_session_token(SerialNumber=f"arn:aws:iam::{lab.account}:mfa/bob", TokenCode="123456")[
        "Credentials"
    ]
    for credentials, said in ((plain, "false"), (strong, "true")):
        client_with(lab, "sqs", credentials).list_queues()
        who = identity(lab, "ListQueues")
        assert (who["type"], who["userName"]) == ("IAMUser", "bob")
        assert who["sessionContext"]["attributes"]["mfaAuthenticated"] == said


def test_a_role_of_another_account_is_told_to_both(lab: Lab) -> None:
    stranger = "444455556666"
    role = lab.client("iam").create_role(RoleName="shared", AssumeRolePolicyDocument=TRUST)["Role"]
    lab.client("sts", key=stranger).assume_role(RoleArn=role["Arn"], RoleSessionName="visit")
    theirs, ours = sorted(
        lab.recorded(eventName="AssumeRole"), key=lambda each: each["recipientAccountId"] == lab.account
    )
    assert (theirs["recipientAccountId"], ours["recipientAccountId"]) == (stranger, lab.account)
    assert theirs["sharedEventID"] == ours["sharedEventID"]
    assert theirs["eventID"] != ours["eventID"]
    assert ours["userIdentity"]["type"] == "AWSAccount"
    assert ours["userIdentity"]["accountId"] == stranger


def test_the_root_user_is_called_root(lab: Lab) -> None:
    key, secret = lab.root_key
    lab.client("sqs", key=key, aws_secret_access_key=secret).list_queues()
    who = identity(lab, "ListQueues")
    assert (who["type"], who["arn"]) == ("Root", f"arn:aws:iam::{lab.account}:root")
