"""How many records a second one core holds against the fifteen filters of the CIS benchmark; the floor is 30,000.

python -m bench.filters [--seconds 3] [--seed 1]

Records come as text, of about 1.4 KB, as they lie in a log group; each is decoded once and held against every filter.
"""

import argparse
import json
import random
import statistics
import time
from typing import Any

from trailstate.watch.filter import Message, pattern
from trailstate.watch.standards import CIS_FILTERS

RUNS = 5
RECORDS = 2000
NAMES = ("DescribeInstances", "PutObject", "AssumeRole", "CreateTrail", "ConsoleLogin", "DeleteVpc", "RunInstances")
SOURCES = ("ec2", "s3", "sts", "cloudtrail", "signin", "kms", "organizations")


def record(draw: random.Random) -> dict[str, Any]:
    """A record of the usual size whose name, source and caller vary."""
    place = draw.randrange(len(NAMES))
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": draw.choice(("IAMUser", "AssumedRole", "Root")),
            "principalId": f"AIDA{draw.randrange(10**16):016d}",
            "arn": "arn:aws:iam::111122223333:user/dana",
            "accountId": "111122223333",
            "sessionContext": {"attributes": {"mfaAuthenticated": "false", "creationDate": "2026-01-15T09:30:00Z"}},
        },
        "eventTime": "2026-01-15T09:30:00Z",
        "eventSource": f"{SOURCES[place]}.amazonaws.com",
        "eventName": NAMES[place],
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.15 Python/3.11 Linux/6.1 source/x86_64",
        **({"errorCode": "AccessDenied", "errorMessage": "denied"} if draw.random() < 0.1 else {}),
        "requestParameters": {f"member{number}": f"{draw.randrange(10**12):012d}" for number in range(20)},
        "responseElements": None,
        "requestID": f"{draw.randrange(10**30):030d}",
        "eventID": f"{draw.randrange(10**30):030d}",
        "readOnly": place == 0,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Records a second against the CIS filters.")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    texts = [json.dumps(record(draw), separators=(",", ":")) for _ in range(RECORDS)]
    filters = [pattern(each.pattern) for each in CIS_FILTERS]
    rates = [run(texts, filters, arguments.seconds) for _ in range(RUNS)]
    size = sum(map(len, texts)) / len(texts)
    print(f"{len(filters)} filters, records of {size:,.0f} bytes: {statistics.median(rates):,.0f} records a second")
    print(json.dumps({"seed": arguments.seed, "records_per_second": [round(rate) for rate in rates]}))


def run(texts: list[str], filters: list[Any], seconds: float) -> float:
    done, began = 0, time.process_time()
    while (elapsed := time.process_time() - began) < seconds:
        for text in texts:
            message = Message(text)
            for each in filters:
                each.matches(message)
        done += len(texts)
    return done / elapsed


if __name__ == "__main__":
    main()
