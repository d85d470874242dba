"""AWS::Lambda and AWS::SSM types in stacks: functions, who may invoke them, their versions and aliases; documents."""

import io
import zipfile
from typing import Any

from trailstate.estate.stacks.form import (
    ANSWER,
    ID,
    Properties,
    StackType,
    Step,
    before,
    changed,
    retagged,
    tag_map,
)

CONFIGURATION = {
    "FunctionName": ID,
    **{
        name: name
        for name in (
            "DeadLetterConfig",
            "Description",
            "Environment",
            "EphemeralStorage",
            "FileSystemConfigs",
            "Handler",
            "ImageConfig",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "Role",
            "Runtime",
            "SnapStart",
            "Timeout",
            "TracingConfig",
            "VpcConfig",
        )
    },
    "KMSKeyArn": "KmsKeyArn",
}
PERMISSION = {
    "StatementId": ID,
    **{
        name: name
        for name in (
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        )
    },
}
ALIAS = {
    "FunctionName": "FunctionName",
    "Name": "Name",
    "FunctionVersion": "FunctionVersion",
    "Description": "Description",
    "RoutingConfig": "RoutingConfig",
}
DOCUMENT = {
    "Name": ID,
    **{
        name: name
        for name in (
            "Attachments",
            "Content",
            "DocumentFormat",
            "DocumentType",
            "Requires",
            "Tags",
            "TargetType",
            "VersionName",
        )
    },
}
WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The time of a packed file: equal sources give equal archives."""
FILE_TYPES = {"python": "py", "nodejs": "js"}


def code(properties: Properties) -> dict[str, Any]:
    """`Code` as the API takes it; source that stands in the template is packed as the file `index`."""
    told = dict(properties.get("Code") or {})
    if isinstance(told.get("ZipFile"), str):
        told["ZipFile"] = _packed(told["ZipFile"], str(properties.get("Runtime", "")))
    return told


def _packed(source: str, runtime: str) -> bytes:
    ending = next((each for kind, each in FILE_TYPES.items() if runtime.startswith(kind)), "txt")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packing:
        packing.writestr(zipfile.ZipInfo(f"index.{ending}", WRITTEN), source)
    return archive.getvalue()


def _of_code(name: str) -> Any:
    return lambda properties: code(properties).get(name)


def _is_reserved(properties: Properties) -> bool:
    return properties.get("ReservedConcurrentExecutions") is not None


RESERVE = Step(
    "PutFunctionConcurrency",
    {"FunctionName": ID, "ReservedConcurrentExecutions": "ReservedConcurrentExecutions"},
    _is_reserved,
)

LAMBDA = (
    StackType(
        "AWS::Lambda::Function",
        "lambda",
        "FunctionName",
        create=(
            Step(
                "CreateFunction",
                {
                    **CONFIGURATION,
                    "Architectures": "Architectures",
                    "Code": code,
                    "CodeSigningConfigArn": "CodeSigningConfigArn",
                    "PackageType": "PackageType",
                    "Tags": tag_map,
                },
            ),
            RESERVE,
        ),
        update=(
            Step(
                "UpdateFunctionCode",
                {
                    "FunctionName": ID,
                    "Architectures": "Architectures",
                    **{
                        name: _of_code(name) for name in ("ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
                    },
                },
                changed("Code", "Architectures"),
            ),
            Step("UpdateFunctionConfiguration", CONFIGURATION),
            RESERVE,
            Step(
                "DeleteFunctionConcurrency",
                {"FunctionName": ID},
                lambda properties: _is_reserved(before(properties)) and not _is_reserved(properties),
            ),
            *retagged("Resource", lambda properties: properties[ANSWER]["FunctionArn"], told=tag_map),
        ),
        delete=(Step("DeleteFunction", {"FunctionName": ID}),),
        replaced_by=("PackageType",),
        further=("Code", "Tags"),
        attributes={"Arn": "FunctionArn"},
    ),
    StackType(
        "AWS::Lambda::Permission",
        "lambda",
        "",
        create=(Step("AddPermission", PERMISSION),),
        update=(),
        delete=(Step("RemovePermission", {"FunctionName": "FunctionName", "StatementId": ID}),),
        attributes={"Id": ID},
    ),
    StackType(
        "AWS::Lambda::Version",
        "lambda",
        "",
        create=(
            Step(
                "PublishVersion",
                {"FunctionName": "FunctionName", "CodeSha256": "CodeSha256", "Description": "Description"},
            ),
        ),
        update=(),
        delete=(Step("DeleteFunction", {"FunctionName": ID}),),
        identified_by="FunctionArn",
        attributes={"FunctionArn": "FunctionArn", "Version": "Version"},
    ),
    StackType(
        "AWS::Lambda::Alias",
        "lambda",
        "Name",
        create=(Step("CreateAlias", ALIAS),),
        update=(Step("UpdateAlias", ALIAS),),
        delete=(Step("DeleteAlias", {"FunctionName": "FunctionName", "Name": "Name"}),),
        identified_by="AliasArn",
        replaced_by=("FunctionName",),
        attributes={"AliasArn": "AliasArn"},
    ),
)

SSM = (
    StackType(
        "AWS::SSM::Document",
        "ssm",
        "Name",
        create=(Step("CreateDocument", DOCUMENT),),
        update=(),
        delete=(Step("DeleteDocument", {"Name": ID}),),
    ),
)
