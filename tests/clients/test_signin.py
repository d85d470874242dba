"""Signing in to the console: who may, and what CloudTrail says of it."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from trailstate.identity.signin import STEP_SECONDS, code_of
from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


def record_of(aws: Lab, answer: dict[str, Any]) -> dict[str, Any]:
    (found,) = aws.recorded(eventID=answer["eventID"])
    return found


def test_root_signs_in_in_us_east_1(aws: Lab) -> None:
    answer = aws.sign_in(region="eu-west-1")
    assert answer["ConsoleLogin"] == "Success"
    record = record_of(aws, answer)
    assert list(record) == [
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "eventID",
        "readOnly",
        "eventType",
        "managementEvent",
        "recipientAccountId",
        "eventCategory",
    ]
    assert record["awsRegion"] == "us-east-1"
    assert record["eventType"] == "AwsConsoleSignIn"
    assert record["userIdentity"] == {
        "type": "Root",
        "principalId": aws.account,
        "arn": f"arn:aws:iam::{aws.account}:root",
        "accountId": aws.account,
        "accessKeyId": "",
    }
    assert record["additionalEventData"]["MFAUsed"] == "No"


def test_a_wrong_password_is_a_failure_without_an_error_code(aws: Lab) -> None:
    answer = aws.sign_in(password="guess")
    assert (answer["ConsoleLogin"], answer["error"]) == ("Failure", "Failed authentication")
    record = record_of(aws, answer)
    assert record["errorMessage"] == "Failed authentication"
    assert "errorCode" not in record
    assert record["responseElements"] == {"ConsoleLogin": "Failure"}


def test_a_user_signs_in_with_the_login_profile_where_asked(aws: Lab) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="anaya")
    assert aws.sign_in(user="anaya", password="Anything-1")["ConsoleLogin"] == "Failure"
    iam.create_login_profile(UserName="anaya", Password="Correct-Horse-1")
    answer = aws.sign_in(user="anaya", password="Correct-Horse-1", region="us-east-2")
    record = record_of(aws, answer)
    assert record["awsRegion"] == "us-east-2"
    assert record["userIdentity"]["userName"] == "anaya"
    found = aws.client("cloudtrail", region="us-east-2").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
    )
    assert [each["Username"] for each in found["Events"]] == ["anaya"]
    assert "Correct-Horse-1" not in json.dumps(aws.recorded())


def test_a_password_that_must_be_changed_opens_nothing_until_it_is(aws: Lab) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="new")
    profile = iam.create_login_profile(UserName="new", Password="First-Horse-1", PasswordResetRequired=True)
    assert profile["LoginProfile"]["PasswordResetRequired"]
    who = {"user": "new", "password": "First-Horse-1"}
    before = len(aws.recorded(eventName="ConsoleLogin"))
    assert "newPassword" in aws.sign_in(**who)["error"]
    assert len(aws.recorded(eventName="ConsoleLogin")) == before, "neither a success nor a failure yet"
    assert aws.sign_in(**who, newPassword="Second-Horse-2")["ConsoleLogin"] == "Success"
    (changed,) = aws.recorded(eventName="ChangePassword")
    assert changed["userIdentity"]["userName"] == "new"
    assert "Horse" not in json.dumps(aws.recorded())
    assert aws.sign_in(**who)["ConsoleLogin"] == "Failure"
    assert aws.sign_in(user="new", password="Second-Horse-2")["ConsoleLogin"] == "Success"


def test_root_is_asked_for_the_code_of_its_device(aws: Lab) -> None:
    made = aws.client("iam").create_virtual_mfa_device(VirtualMFADeviceName="root-account-mfa-device")
    device = made["VirtualMFADevice"]
    step = int(aws.now().timestamp()) // STEP_SECONDS
    seed = device["Base32StringSeed"].decode()
    wrong = f"{(int(code_of(seed, step)) + 1) % 10**6:06}"
    for given in (
        {},
        {"mfa": wrong},
        {"mfa": code_of(seed, step - 5)},
        {"password": "guess", "mfa": code_of(seed, step)},
    ):
        answer = aws.sign_in(**given)
        assert (answer["ConsoleLogin"], answer["awsRegion"]) == ("Failure", "us-east-1")
        assert record_of(aws, answer)["additionalEventData"]["MFAIdentifier"] == device["SerialNumber"]
    answer = aws.sign_in(mfa=code_of(seed, int(aws.now().timestamp()) // STEP_SECONDS), region="eu-west-1")
    assert (answer["ConsoleLogin"], answer["awsRegion"]) == ("Success", "us-east-1")
    told = record_of(aws, answer)["additionalEventData"]
    assert (told["MFAUsed"], told["MFAIdentifier"]) == ("Yes", device["SerialNumber"])
    aws.client("iam").delete_virtual_mfa_device(SerialNumber=device["SerialNumber"])


def test_the_name_of_nobody_is_hidden(aws: Lab) -> None:
    answer = aws.sign_in(user="my-password-by-mistake", password="x")
    record = record_of(aws, answer)
    assert record["errorMessage"] == "No username found in supplied account"
    assert record["userIdentity"]["userName"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert "my-password-by-mistake" not in json.dumps(record)


def test_a_virtual_device_is_asked_for_its_code_and_each_code_is_good_once(aws: Lab) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="mfa-user")
    iam.create_login_profile(UserName="mfa-user", Password="Correct-Horse-2")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    iam.enable_mfa_device(
        UserName="mfa-user",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )
    who = {"user": "mfa-user", "password": "Correct-Horse-2"}
    assert aws.sign_in(**who)["ConsoleLogin"] == "Failure"
    code = code_of(seed, int(aws.now().timestamp()) // STEP_SECONDS)
    answer = aws.sign_in(**who, mfa=code)
    assert answer["ConsoleLogin"] == "Success"
    assert record_of(aws, answer)["additionalEventData"]["MFAUsed"] == "Yes"
    assert aws.sign_in(**who, mfa=code)["ConsoleLogin"] == "Failure"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b'{"password": 7}', 400),
        (b'{"password": "\\ud800"}', 400),
        (b'{"nobody": "x"}', 400),
        (b'{"account": "12", "password": "x"}', 400),
        (b'{"region": "../..", "password": "x"}', 400),
        (b'{"account": "999999999999", "password": "x"}', 404),
    ],
)
def test_what_the_page_cannot_use_is_refused(aws: Lab, body: bytes, status: int) -> None:
    host, _, port = aws.endpoint.removeprefix("http://").rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    connection.request("POST", "/_trailstate/signin", body)
    answer = connection.getresponse()
    assert (answer.status, "error" in json.loads(answer.read())) == (status, True)
    connection.close()


def test_codes_are_those_of_the_rfc() -> None:
    """RFC 6238, appendix B: the secret of twenty digits, SHA-1, eight digits of which six are shown here."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    times = {59: "94287082", 1111111109: "07081804", 1234567890: "89005924", 2000000000: "69279037"}
    assert [code_of(seed, each // STEP_SECONDS) for each in times] == [code[-6:] for code in times.values()]
