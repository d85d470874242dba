"""What stands in a trail's bucket, read as any client would, and the stock command that judges it."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from trailstate.testing import Lab

AWS = Path(sys.executable).with_name("aws")


def keys(aws: Lab, bucket: str, kind: str = "") -> list[str]:
    """The keys of a bucket with `/kind/` in them."""
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    found = (each["Key"] for page in pages for each in page.get("Contents", ()))
    return [key for key in found if f"/{kind}/" in key]


def text(aws: Lab, bucket: str, key: str) -> dict[str, Any]:
    body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return json.loads(gzip.decompress(body))


def records(aws: Lab, bucket: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record and the key of its file."""
    for key in keys(aws, bucket, "CloudTrail"):
        yield from ((key, record) for record in text(aws, bucket, key)["Records"])


def validate(aws: Lab, arn: str, *options: str, since: timedelta = timedelta(days=3)) -> tuple[int, str]:
    """The stock `validate-logs`: its exit code, and everything it said."""
    now = aws.now()
    start, end = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (now - since, now))
    arguments = ["--trail-arn", arn, "--start-time", start, "--end-time", end, "--verbose", *options]
    done = subprocess.run(
        [str(AWS), "cloudtrail", "validate-logs", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), **aws.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def verify(aws: Lab, bucket: str) -> tuple[int, dict[str, Any]]:
    """`trailstate verify`: its exit code, and what it printed as JSON."""
    done = subprocess.run(
        [str(AWS.with_name("trailstate")), "verify", bucket, "-o", "json"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), **aws.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)
