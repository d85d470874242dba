"""Terraform's own provider against a lab: what it applied is what it reads, so a second plan finds nothing to do.

Needs `terraform` and, in TRAILSTATE_TERRAFORM_PLUGINS, a directory with the mirrored provider hashicorp/aws.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trailstate.testing import Lab, lab

PLUGINS = os.environ.get("TRAILSTATE_TERRAFORM_PLUGINS", "")
pytestmark = pytest.mark.skipif(
    not (PLUGINS and shutil.which("terraform")),
    reason="needs terraform, and TRAILSTATE_TERRAFORM_PLUGINS with its AWS provider",
)

NOTHING_TO_DO, CHANGES = 0, 2

PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}
resource "aws_s3_bucket" "evidence" {
  bucket        = "evidence"
  force_destroy = true
}
resource "aws_s3_bucket_policy" "evidence" {
  bucket = aws_s3_bucket.evidence.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" },
        Action = "s3:GetBucketAcl", Resource = aws_s3_bucket.evidence.arn },
      { Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" },
        Action = "s3:PutObject", Resource = "${aws_s3_bucket.evidence.arn}/*",
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } } }
    ]
  })
}
"""

TRAIL = """
resource "aws_cloudtrail" "audit" {
  depends_on                    = [aws_s3_bucket_policy.evidence]
  name                          = "audit"
  s3_bucket_name                = aws_s3_bucket.evidence.id
  s3_key_prefix                 = "here"
  is_multi_region_trail         = true
  enable_log_file_validation    = true
  include_global_service_events = true
  tags                          = { team = "security" }
%s
}
"""

BASIC = """
  event_selector {
    read_write_type                  = "WriteOnly"
    include_management_events        = true
    exclude_management_event_sources = ["kms.amazonaws.com", "rdsdata.amazonaws.com"]
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3:::reports/", "arn:aws:s3:::other/in/"]
    }
    data_resource {
      type   = "AWS::Lambda::Function"
      values = ["arn:aws:lambda"]
    }
  }
  event_selector {
    include_management_events = false
    data_resource {
      type   = "AWS::DynamoDB::Table"
      values = ["arn:aws:dynamodb"]
    }
  }
"""

ADVANCED = """
  advanced_event_selector {
    name = "writes"
    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "eventName"
      starts_with = ["Put"]
      not_equals  = ["PutObjectAcl"]
    }
    field_selector {
      field           = "resources.ARN"
      not_starts_with = ["arn:aws:s3:::evidence/"]
    }
  }
  advanced_event_selector {
    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
    field_selector {
      field  = "readOnly"
      equals = ["false"]
    }
  }
"""

CATALOGUE = """
resource "aws_glue_catalog_database" "security" {
  name        = "security"
  description = "what was recorded"
}
resource "aws_glue_catalog_table" "trail" {
  database_name = aws_glue_catalog_database.security.name
  name          = "trail"
  table_type    = "EXTERNAL_TABLE"
  parameters    = { "projection.enabled" = "true", "projection.year.type" = "integer" }
  partition_keys {
    name = "region"
    type = "string"
  }
  storage_descriptor {
    location      = "s3://evidence/AWSLogs/123456789012/CloudTrail/"
    input_format  = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hive.hcatalog.data.JsonSerDe"
    }
    columns {
      name = "eventname"
      type = "string"
    }
  }
}
resource "aws_glue_partition" "one" {
  database_name    = aws_glue_catalog_database.security.name
  table_name       = aws_glue_catalog_table.trail.name
  partition_values = ["us-east-1"]
}
"""

STOPPED = "  enable_logging = false\n"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module")
def folder(aws: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Terraform is ready to work on the lab."""
    made = tmp_path_factory.mktemp("terraform")
    (made / "main.tf").write_text(PROVIDER)
    assert terraform(aws, made, "init", f"-plugin-dir={PLUGINS}") == 0
    return made


def terraform(aws: Lab, folder: Path, *arguments: str) -> int:
    """The exit code; what Terraform said stands in the test's output."""
    environment = {**os.environ, **aws.environment, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    environment.pop("TF_CLI_CONFIG_FILE", None)
    command = ["terraform", f"-chdir={folder}", *arguments, "-no-color", "-input=false"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    print(done.stdout, done.stderr)
    return done.returncode


def test_a_second_plan_is_empty_whatever_the_selectors(aws: Lab, folder: Path) -> None:
    """One trail is changed from one form to the next, as its owner would."""
    for settings in (BASIC, ADVANCED + STOPPED):
        (folder / "trail.tf").write_text(TRAIL % settings)
        assert terraform(aws, folder, "apply", "-auto-approve") == 0, settings
        assert terraform(aws, folder, "plan", "-detailed-exitcode") == NOTHING_TO_DO, settings
    (trail,) = aws.client("cloudtrail").describe_trails()["trailList"]
    assert (trail["Name"], trail["S3KeyPrefix"], trail["IsMultiRegionTrail"]) == ("audit", "here", True)
    assert aws.client("cloudtrail").get_trail_status(Name="audit")["IsLogging"] is False
    assert terraform(aws, folder, "destroy", "-auto-approve") == 0
    assert aws.client("cloudtrail").describe_trails()["trailList"] == []


def test_the_catalogue_is_as_it_was_planned(aws: Lab, folder: Path) -> None:
    (folder / "trail.tf").write_text(CATALOGUE)
    assert terraform(aws, folder, "apply", "-auto-approve") == 0
    assert terraform(aws, folder, "plan", "-detailed-exitcode") == NOTHING_TO_DO
    assert terraform(aws, folder, "destroy", "-auto-approve") == 0
    assert [each["Name"] for each in aws.client("glue").get_databases()["DatabaseList"]] == ["default"]
