"""How many records a second one core holds against a trail's event selectors.

python -m bench.selection [--records 20000] [--seed 1]

Three trails: one that nobody configured, one with five basic selectors and 250 data resources, one with advanced
selectors of 500 values. Medians of three runs; beside each, how many records it took.
"""

import argparse
import random
import statistics
import time
from collections.abc import Mapping
from typing import Any

from trailstate.trail.selectors import Selects, compile_selectors
from trailstate.trail.trails import DEFAULT_SELECTORS

RUNS = 3
PARTS = ("reports", "logs", "archive", "images")


def records(count: int, seed: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    return [_data(draw) if draw.random() < 0.5 else _management(draw) for _ in range(count)]


def _management(draw: random.Random) -> dict[str, Any]:
    return {
        "eventCategory": "Management",
        "eventSource": f"{draw.choice(('ec2', 'kms', 'iam', 's3'))}.amazonaws.com",
        "eventName": draw.choice(("DescribeInstances", "RunInstances", "Decrypt")),
        "readOnly": draw.random() < 0.7,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana"},
    }


def _data(draw: random.Random) -> dict[str, Any]:
    bucket = f"arn:aws:s3:::{draw.choice(PARTS)}-{draw.randrange(200)}"
    return _management(draw) | {
        "eventCategory": "Data",
        "eventSource": "s3.amazonaws.com",
        "eventName": draw.choice(("GetObject", "PutObject", "DeleteObject")),
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"{bucket}/2026/{draw.randrange(1000)}"},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": bucket},
        ],
    }


def trails() -> Mapping[str, Selects]:
    buckets = [f"arn:aws:s3:::{part}-{number}/" for part in PARTS for number in range(130)]
    objects = [{"Type": "AWS::S3::Object", "Values": buckets[first : first + 50]} for first in range(0, 250, 50)]
    basic = [{"ReadWriteType": "WriteOnly", "DataResources": [each]} for each in objects]
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "eventName", "NotStartsWith": ["Delete"]},
        {"Field": "resources.ARN", "StartsWith": buckets[:494]},
    ]
    management = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["false"]}]
    return {
        "as created": compile_selectors(DEFAULT_SELECTORS, None),
        "5 basic selectors, 250 values": compile_selectors(basic, None),
        "2 advanced selectors, 499 values": compile_selectors(
            None, [{"FieldSelectors": fields}, {"FieldSelectors": management}]
        ),
    }


def run(selects: Selects, work: list[dict[str, Any]]) -> tuple[float, int]:
    began = time.process_time()
    taken = sum(map(selects, work))
    return len(work) / (time.process_time() - began), taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    work = records(asked.records, asked.seed)
    print(f"{len(work)} records, half of them data events; seed {asked.seed}")
    print(f"{'trail':<34}{'records/s of one core':>22}{'taken':>8}")
    for name, selects in trails().items():
        results = [run(selects, work) for _ in range(RUNS)]
        rate = statistics.median(rate for rate, _ in results)
        print(f"{name:<34}{rate:>22,.0f}{results[0][1]:>8}")


if __name__ == "__main__":
    main()
