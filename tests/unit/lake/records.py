"""Records for the lake's tests, as log files hold them."""

import gzip
import json
from typing import Any

ACCOUNT = "111122223333"


def record(number: int = 1, **members: Any) -> dict[str, Any]:
    """A record of the 15th of January 2026, one second later for each number."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/dana",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "dana",
        },
        "eventTime": f"2026-01-15T09:{number // 60 % 60:02}:{number % 60:02}Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2",
        "requestParameters": {"instanceType": "t3.micro", "number": number},
        "responseElements": None,
        "requestID": f"r-{number}",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | members


def log_file(*records: Any) -> bytes:
    return gzip.compress(json.dumps({"Records": list(records)}, separators=(",", ":")).encode())


def log_name(number: int = 1, day: str = "2026/01/15", account: str = ACCOUNT) -> str:
    name = f"{account}_CloudTrail_us-east-1_{day.replace('/', '')}T0910Z_{number:016}.json.gz"
    return f"AWSLogs/{account}/CloudTrail/us-east-1/{day}/{name}"
