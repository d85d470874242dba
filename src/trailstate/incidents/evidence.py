"""Two questions about evidence: is all of it in one place, and has somebody touched it."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from trailstate.incidents.form import Answer, Incident, Planted
from trailstate.incidents.stage import Identity, Stage
from trailstate.trail.verify import Expected, Fetched, Finding, PublicKeys, verify
from trailstate.trail.verify.names import Place

MEMBERS = 29
ROWS_MAX = 3
TRIES_MAX = 400
"""How often a bucket is looked into for files that are on their way; each look takes some milliseconds."""

REMOVED_DIGESTS = 2
STOCK_SECONDS_MAX = 60
STOCK_LINES = 2
"""The last ones that the stock verifier prints: how many digests and how many log files are valid."""

COMMAND = "aws cloudtrail validate-logs"


# ---- one trail for thirty accounts ----


def _trail_of_thirty(stage: Stage) -> Planted:
    organization, accounts = _organization(stage)
    bucket = audit_bucket(stage, f"audit-{stage.account}")
    cloudtrail = stage.client("cloudtrail")
    if "everyone" not in {each["Name"] for each in cloudtrail.describe_trails()["trailList"]}:
        cloudtrail.create_trail(Name="everyone", S3BucketName=bucket, IsOrganizationTrail=True, IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="everyone")
    for account in accounts:
        stage.client("iam", Identity(account, "test")).create_account_alias(AccountAlias=f"team-{account}")
    stage.advance(timedelta(minutes=5))
    return {
        "resource": bucket,
        "event": "CreateAccountAlias",
        "folder": f"AWSLogs/{organization}/",
        "accounts": " ".join(accounts),
    }


def _organization(stage: Stage) -> tuple[str, list[str]]:
    """Its id, and its thirty accounts; made if there is none."""
    client = stage.client("organizations")
    try:
        organization = client.describe_organization()["Organization"]["Id"]
    except ClientError:
        organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        client.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        for number in range(MEMBERS):
            client.create_account(Email=f"team-{number}@example.com", AccountName=f"team-{number}")
    pages = client.get_paginator("list_accounts").paginate()
    return organization, [account["Id"] for page in pages for account in page["Accounts"]]


def audit_bucket(stage: Stage, name: str) -> str:
    """A bucket into which CloudTrail may deliver."""
    s3 = stage.client("s3")
    s3.create_bucket(Bucket=name)
    service = {"Service": "cloudtrail.amazonaws.com"}
    statements = [
        {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{name}"},
        {
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{name}/AWSLogs/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return name


def _ask_where(stage: Stage, planted: Planted) -> Answer:
    bucket, folder = planted["resource"], planted.get("folder", "AWSLogs/")
    wanted = set(planted.get("accounts", "").split())
    found: dict[str, list[str]] = {}
    for _ in range(TRIES_MAX if wanted else 1):
        found = _files_by_account(stage, bucket, folder)
        if wanted <= found.keys():
            break
    covered = [account for account in sorted(found) if account in wanted]
    return Answer(
        command=f"aws s3 ls --recursive s3://{bucket}/{folder}",
        columns=("account", "files", "where its files lie"),
        rows=[(each, str(len(found[each])), f"{folder}{each}/CloudTrail/REGION/") for each in covered[:ROWS_MAX]],
        sentence=_covered(bucket, covered, wanted),
        is_right=bool(wanted) and len(covered) == len(wanted),
    )


def _covered(bucket: str, covered: Sequence[str], wanted: set[str]) -> str:
    if not covered:
        return f"Nobody's events lie in s3://{bucket}."
    return f"In one trail: {len(covered)} of {len(wanted)} accounts, each under its number in s3://{bucket}."


def _files_by_account(stage: Stage, bucket: str, folder: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    bucket_keys = _Bucket(stage, bucket).keys()
    for key in bucket_keys:
        if key.startswith(folder) and "/CloudTrail/" in key:
            found.setdefault(key.removeprefix(folder).partition("/")[0], []).append(key)
    return found


# ---- is it untouched? ----


class _Bucket:
    """A bucket as evidence, through the stage's own client; empty if there is none of that name."""

    def __init__(self, stage: Stage, bucket: str) -> None:
        self.stage = stage
        self.bucket: str | None = bucket
        self.name = f"s3://{bucket}"

    def keys(self) -> Iterator[str]:
        try:
            for page in self.stage.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
                yield from (each["Key"] for each in page.get("Contents", ()))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def fetch(self, key: str) -> Fetched | None:
        found = self.stage.client("s3").get_object(Bucket=self.bucket, Key=key)
        return Fetched(found["Body"].read(), found["Metadata"])

    def beside(self, bucket: str) -> "_Bucket":
        return _Bucket(self.stage, bucket)


def _touch_the_evidence(stage: Stage) -> Planted:
    bucket = audit_bucket(stage, f"evidence-{len(stage.client('s3').list_buckets()['Buckets'])}-{stage.account}")
    cloudtrail = stage.client("cloudtrail")
    if "evidence" in {each["Name"] for each in cloudtrail.describe_trails()["trailList"]}:
        cloudtrail.delete_trail(Name="evidence")
    cloudtrail.create_trail(Name="evidence", S3BucketName=bucket, EnableLogFileValidation=True)
    cloudtrail.start_logging(Name="evidence")
    mallory = stage.developer("mallory")
    stage.client("iam", mallory).list_users()
    stage.advance(timedelta(hours=2, minutes=10))
    stage.client("cloudtrail", mallory).stop_logging(Name="evidence")
    stage.advance(timedelta(minutes=1))
    s3, keys = stage.client("s3", mallory), sorted(_Bucket(stage, bucket).keys())
    altered = next((key for key in keys if "/CloudTrail/" in key), "")
    removed = [key for key in keys if "/CloudTrail-Digest/" in key][-REMOVED_DIGESTS:]
    if altered and removed:
        text = gzip.decompress(s3.get_object(Bucket=bucket, Key=altered)["Body"].read())
        s3.put_object(Bucket=bucket, Key=altered, Body=gzip.compress(text.replace(b"mallory", b"alice")))
        for key in removed:
            s3.delete_object(Bucket=bucket, Key=key)
    return {"resource": bucket, "event": "StopLogging", "altered": altered}


def _ask_untouched(stage: Stage, planted: Planted) -> Answer:
    trail = _trail_to(stage, planted["resource"])
    findings = _findings(stage, trail) if trail else []
    kinds = {each.kind for each in findings}
    altered = planted.get("altered", "")
    return Answer(
        command=f"trailstate verify s3://{planted['resource']}",
        columns=("verifier", "found"),
        rows=[
            *((COMMAND, line) for line in _stock_lines(stage, trail)[-STOCK_LINES:]),
            *(("trailstate verify", f"{each.kind}: {each.sentence}") for each in findings),
        ],
        sentence=(
            f"No: {', '.join(sorted(kinds))}. The stock verifier cannot see that the newest digests were removed."
            if findings
            else f"Nobody touched s3://{planted['resource']}, or there is nothing in it."
        ),
        is_right={"log-altered", "tail-missing"} <= kinds and any(each.subject == altered for each in findings),
    )


def _trail_to(stage: Stage, bucket: str) -> dict[str, Any] | None:
    trails = stage.client("cloudtrail").describe_trails()["trailList"]
    return next((each for each in trails if each["S3BucketName"] == bucket), None)


def _findings(stage: Stage, trail: dict[str, Any]) -> list[Finding]:
    client, home = stage.client("cloudtrail"), trail["HomeRegion"]
    status = client.get_trail_status(Name=trail["TrailARN"])
    latest = status.get("LatestDigestDeliveryTime")
    keys = PublicKeys(
        client.list_public_keys(StartTime=status["StartLoggingTime"] - timedelta(days=1))["PublicKeyList"]
    )
    place = Place("AWSLogs/", stage.account, home)
    expected = [Expected(trail["Name"], home, [place], latest)]
    return verify(_Bucket(stage, trail["S3BucketName"]), keys, expected=expected).findings


def _stock_lines(stage: Stage, trail: dict[str, Any] | None) -> list[str]:
    """What `aws cloudtrail validate-logs` says, if the AWS CLI is installed."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    program = shutil.which("aws", path=places)
    if trail is None or program is None:
        return ["the AWS CLI is not installed"] if program is None else []
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": stage.endpoint,
        "AWS_ACCESS_KEY_ID": stage.account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": stage.region,
    }
    started = stage.client("cloudtrail").get_trail_status(Name=trail["TrailARN"])["StartLoggingTime"]
    arguments = ["--trail-arn", trail["TrailARN"], "--start-time", f"{started:%Y-%m-%dT%H:%M:%SZ}"]
    done = subprocess.run(  # noqa: S603 - the program that was found, with arguments of our own
        [program, "cloudtrail", "validate-logs", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=STOCK_SECONDS_MAX,
    )
    lines = [*done.stderr.splitlines(), *(line for line in done.stdout.splitlines() if "files valid" in line)]
    return [line.replace("\t", " ") for line in lines if line]


ONE_TRAIL = Incident(
    name="one-trail",
    question="Where does everything that 30 accounts do come together?",
    services="CloudTrail organization trail · AWS Organizations · S3",
    story="An organization of 30 accounts gets one trail, and every account does something.",
    play=_trail_of_thirty,
    ask=_ask_where,
    is_of_exam=True,
)

TOUCHED_EVIDENCE = Incident(
    name="touched-evidence",
    question="Is the evidence untouched?",
    services="CloudTrail log file validation · S3 · aws cloudtrail validate-logs · trailstate verify",
    story="A developer stops the trail, alters a log file and removes the newest digests.",
    play=_touch_the_evidence,
    ask=_ask_untouched,
)
