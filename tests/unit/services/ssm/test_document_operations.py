"""SSM documents through the real API: made, versioned, shared, deleted, and AWS's faults on the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.refusals import refusal

from trailstate.testing import Lab, lab

OTHER = "210987654321"
CONTENT = """
schemaVersion: "0.3"
description: {description}
parameters:
  Group: {{type: String, default: sg-1}}
mainSteps:
  - name: rest
    action: aws:sleep
    inputs: {{Duration: PT1M}}
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(accounts="123456789012,210987654321") as started:
        yield started


def create(aws: Lab, name: str, description: str = "first", **more: Any) -> dict[str, Any]:
    kinds = {"DocumentType": "Automation", "DocumentFormat": "YAML"} | more
    content = CONTENT.format(description=description)
    made: dict[str, Any] = aws.client("ssm").create_document(Name=name, Content=content, **kinds)
    return made["DocumentDescription"]


def test_a_document_has_versions_and_a_default_one(aws: Lab) -> None:
    ssm = aws.client("ssm")
    made = create(aws, "Versions", VersionName="one")
    assert (made["DocumentVersion"], made["DefaultVersion"], made["Status"]) == ("1", "1", "Active")
    assert made["Parameters"] == [{"Name": "Group", "Type": "String", "DefaultValue": "sg-1"}]
    second = CONTENT.format(description="second")
    ssm.update_document(Name="Versions", Content=second, DocumentVersion="$LATEST", DocumentFormat="YAML")
    assert ssm.describe_document(Name="Versions")["Document"]["Description"] == "second"
    assert ssm.get_document(Name="Versions")["DocumentVersion"] == "1"
    assert ssm.get_document(Name="Versions", VersionName="one")["DocumentVersion"] == "1"
    ssm.update_document_default_version(Name="Versions", DocumentVersion="2")
    assert ssm.get_document(Name="Versions")["Content"] == second
    assert '"description": "second"' in ssm.get_document(Name="Versions", DocumentFormat="JSON")["Content"]
    listed = ssm.list_document_versions(Name="Versions")["DocumentVersions"]
    assert [(each["DocumentVersion"], each["IsDefaultVersion"]) for each in listed] == [("2", True), ("1", False)]
    assert refusal(ssm.delete_document, Name="Versions", DocumentVersion="2") == "InvalidDocumentOperation"
    ssm.delete_document(Name="Versions", DocumentVersion="1")
    ssm.delete_document(Name="Versions")
    assert refusal(ssm.describe_document, Name="Versions") == "InvalidDocument"


def test_lists_page_and_filter(aws: Lab) -> None:
    ssm = aws.client("ssm")
    for number in range(5):
        create(aws, f"Listed-{number}")
    pages = ssm.get_paginator("list_documents").paginate(
        Filters=[{"Key": "Owner", "Values": ["Self"]}, {"Key": "Name", "Values": ["Listed-"]}], MaxResults=2
    )
    names = [[each["Name"] for each in page["DocumentIdentifiers"]] for page in pages]
    assert names == [["Listed-0", "Listed-1"], ["Listed-2", "Listed-3"], ["Listed-4"]]
    amazon = ssm.list_documents(DocumentFilterList=[{"key": "Owner", "value": "Amazon"}])["DocumentIdentifiers"]
    assert "AWS-PublishSNSNotification" in {each["Name"] for each in amazon}
    assert refusal(ssm.list_documents, Filters=[{"Key": "Colour", "Values": ["x"]}]) == "InvalidFilterKey"
    assert refusal(ssm.list_documents, Filters=[{"Values": ["x"]}]) == "InvalidFilterKey"
    assert refusal(ssm.list_documents, NextToken="bm8") == "InvalidNextToken"


def test_a_shared_document_is_seen_by_its_arn(aws: Lab) -> None:
    ssm, other = aws.client("ssm"), aws.client("ssm", key=OTHER)
    create(aws, "Shared")
    arn = f"arn:aws:ssm:us-east-1:{aws.account}:document/Shared"
    assert refusal(other.get_document, Name=arn) == "InvalidDocument"
    ssm.modify_document_permission(Name="Shared", PermissionType="Share", AccountIdsToAdd=[OTHER])
    assert other.get_document(Name=arn)["DocumentType"] == "Automation"
    shared = other.list_documents(Filters=[{"Key": "Owner", "Values": ["ThirdParty"]}])["DocumentIdentifiers"]
    assert [each["Name"] for each in shared] == [arn]
    told = ssm.describe_document_permission(Name="Shared", PermissionType="Share")
    assert told["AccountIds"] == [OTHER]
    assert refusal(ssm.delete_document, Name="Shared") == "InvalidDocumentOperation"
    ssm.modify_document_permission(Name="Shared", PermissionType="Share", AccountIdsToRemove=[OTHER])
    assert refusal(other.get_document, Name=arn) == "InvalidDocument"


def test_what_cannot_be_a_document_is_refused_as_aws_does(aws: Lab) -> None:
    ssm = aws.client("ssm")
    create(aws, "Taken")
    good = CONTENT.format(description="x")

    def refused(**parameters: Any) -> str:
        kinds = {"DocumentType": "Automation", "DocumentFormat": "YAML", "Name": "New-Document", "Content": good}
        return refusal(ssm.create_document, **kinds | parameters)

    assert refused(Name="Taken") == "DocumentAlreadyExists"
    assert refused(Name="AWS-Mine") == "ValidationException"
    assert refused(Content="mainSteps: [") == "InvalidDocumentContent"
    assert refused(Content=good.replace("aws:sleep", "aws:runCommand")) == "InvalidDocumentContent"
    assert refused(Content=good.replace("0.3", "2.2")) == "InvalidDocumentSchemaVersion"
    assert refused(Content=good + "#" * 70_000) == "MaxDocumentSizeExceeded"
    update = {"Name": "Taken", "DocumentVersion": "$LATEST", "DocumentFormat": "YAML"}
    same = CONTENT.format(description="first")
    assert refusal(ssm.update_document, Content=same, **update) == "DuplicateDocumentContent"
    assert refusal(ssm.update_document_default_version, Name="Taken", DocumentVersion="9") == "InvalidDocumentVersion"
    assert refusal(ssm.delete_document, Name="Nobody-Has-It") == "InvalidDocument"


def test_tags_of_documents_are_kept_here_and_those_of_parameters_by_the_estate(aws: Lab) -> None:
    ssm = aws.client("ssm")
    create(aws, "tagged", Tags=[{"Key": "team", "Value": "blue"}])
    ssm.put_parameter(Name="plain", Value="1", Type="String")
    document, parameter = (
        {"ResourceType": "Document", "ResourceId": "tagged"},
        {"ResourceType": "Parameter", "ResourceId": "plain"},
    )
    for one in (document, parameter):
        ssm.add_tags_to_resource(**one, Tags=[{"Key": "team", "Value": "red"}, {"Key": "stage", "Value": "prod"}])
        ssm.remove_tags_from_resource(**one, TagKeys=["stage", "none"])
        assert ssm.list_tags_for_resource(**one)["TagList"] == [{"Key": "team", "Value": "red"}]
    found = ssm.list_documents(Filters=[{"Key": "tag:team", "Values": ["red"]}])["DocumentIdentifiers"]
    assert [each["Name"] for each in found] == ["tagged"]
    nothing = {"ResourceType": "Document", "ResourceId": "nosuch"}
    assert refusal(ssm.list_tags_for_resource, **nothing) == "InvalidResourceId"
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert refusal(ssm.add_tags_to_resource, **document, Tags=many) == "TooManyTagsError"
