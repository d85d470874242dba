"""`trailstate remediate`: the calls beforehand, the calls as they were made, and what cannot be repaired."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trailstate.cli.exit import ExitCode
from trailstate.cli.main import app
from trailstate.testing import Lab, lab

BUCKET = "AWS::S3::Bucket"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def aws(data: Path) -> Iterator[Lab]:
    with lab(data=data) as started:
        config = started.client("config")
        recorder = {"name": "default", "roleARN": f"arn:aws:iam::{started.account}:role/config"}
        config.put_configuration_recorder(ConfigurationRecorder=recorder)
        source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_PUBLIC_READ_PROHIBITED"}
        config.put_config_rule(ConfigRule={"ConfigRuleName": "public", "Source": source})
        role = f"arn:aws:iam::{started.account}:role/repairer"
        parameters = {
            "AutomationAssumeRole": {"StaticValue": {"Values": [role]}},
            "S3BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
        }
        given = {"ConfigRuleName": "public", "TargetType": "SSM_DOCUMENT", "Parameters": parameters}
        document = "AWS-DisableS3BucketPublicReadWrite"
        config.put_remediation_configurations(RemediationConfigurations=[{**given, "TargetId": document}])
        yield started


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["remediate", *words, "--data", str(data)], env={"COLUMNS": "400"})


def test_a_dry_run_prints_the_calls_and_makes_none(aws: Lab, data: Path) -> None:
    aws.client("s3").create_bucket(Bucket="dry")
    told = run(data, "public", "dry", "--dry-run")
    assert told.exit_code == 0
    assert 's3:PutPublicAccessBlock {"Bucket": "dry"' in told.stdout
    assert aws.recorded(eventName="StartRemediationExecution") == []


def test_a_run_repairs_and_prints_what_was_called(aws: Lab, data: Path) -> None:
    aws.client("s3").create_bucket(Bucket="wet")
    told = run(data, "public", "wet", "--type", BUCKET)
    assert (told.exit_code, told.stderr) == (0, "wet was repaired by AWS-DisableS3BucketPublicReadWrite.\n")
    assert "BlockPublicAccess" in told.stdout
    assert "s3:PutBucketPublicAccessBlock" in told.stdout


def test_a_failing_repair_ends_with_one_and_its_error(aws: Lab, data: Path) -> None:
    told = run(data, "public", "no-such-bucket", "--type", BUCKET)
    assert told.exit_code == ExitCode.NO
    assert "NoSuchBucket" in told.stdout


def test_what_cannot_be_repaired_is_said(aws: Lab, data: Path, tmp_path: Path) -> None:
    absent = run(data, "other-rule", "x")
    assert (absent.exit_code, "has no remediation" in absent.stderr) == (ExitCode.NO, True)
    unjudged = run(data, "public", "unheard-of")
    assert (unjudged.exit_code, "--type" in unjudged.stderr) == (ExitCode.NO, True)
    assert run(tmp_path, "public", "x").exit_code == ExitCode.NO_SERVER
