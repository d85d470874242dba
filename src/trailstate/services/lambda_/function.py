"""Lambda functions: created, read, changed, deleted. Any runtime is described; what can run is told by Invoke.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trailstate.functions.archive import BadArchive, Codes
from trailstate.functions.function import FUNCTION, LATEST
from trailstate.services.lambda_.found import fault, find, find_version, hold_revision, named_by
from trailstate.services.lambda_.version import published
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault
from trailstate.world import World

PAGE_SIZE = 50
ENVIRONMENT_BYTES_MAX = 4096
TIMEOUT_SECONDS_MAX = 900
MEMORY_MIB_MAX = 10_240
RESERVED = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
DEFAULTS: Mapping[str, Any] = {"Timeout": 3, "MemorySize": 128, "Description": "", "Architectures": ["x86_64"]}
NOT_YET = "is not supported by Trailstate yet"


@operation("lambda")
def create_function(
    call: Call,
    shelf: StagedShelf,
    codes: Codes,
    door: Door,
    world: World,
    *,
    FunctionName: str,
    Role: str,
    Code: Mapping[str, Any],
    Runtime: str | None = None,
    Handler: str | None = None,
    Description: str | None = None,
    Timeout: int | None = None,
    MemorySize: int | None = None,
    Publish: bool | None = None,
    PublishTo: str | None = None,
    VpcConfig: Mapping[str, Any] | None = None,
    PackageType: str | None = None,
    DeadLetterConfig: Mapping[str, Any] | None = None,
    Environment: Mapping[str, Any] | None = None,
    KMSKeyArn: str | None = None,
    TracingConfig: Mapping[str, Any] | None = None,
    Tags: Mapping[str, str] | None = None,
    Layers: Sequence[str] | None = None,
    FileSystemConfigs: Sequence[Mapping[str, Any]] | None = None,
    CodeSigningConfigArn: str | None = None,
    ImageConfig: Mapping[str, Any] | None = None,
    Architectures: Sequence[str] | None = None,
    EphemeralStorage: Mapping[str, Any] | None = None,
    SnapStart: Mapping[str, Any] | None = None,
    LoggingConfig: Mapping[str, Any] | None = None,
    TenancyConfig: Mapping[str, Any] | None = None,
    CapacityProviderConfig: Mapping[str, Any] | None = None,
    DurableConfig: Mapping[str, Any] | None = None,
    RuntimeConfig: Mapping[str, Any] | None = None,
    AcceleratorConfig: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keep the function and its code; it can be invoked when this returns."""
    who = named_by(call, FunctionName)
    if (who.account, who.region) != (call.account, call.region):
        raise fault.InvalidParameterValueException("A function is created in the caller's own account and region.")
    if shelf.get(who.key) is not None:
        raise fault.ResourceConflictException(f"Function already exist: {who.name}", Type="User")
    _refuse(
        CodeSigningConfigArn=CodeSigningConfigArn,
        TenancyConfig=TenancyConfig,
        CapacityProviderConfig=CapacityProviderConfig,
        DurableConfig=DurableConfig,
        AcceleratorConfig=AcceleratorConfig,
        PublishTo=PublishTo,
    )
    package = PackageType or "Zip"
    if package == "Zip" and not (Runtime and Handler):
        raise fault.InvalidParameterValueException("Runtime and Handler are mandatory parameters for a zip package.")
    code = _code(call, codes, door, Code, package)
    chosen = {
        "Runtime": Runtime,
        "Role": Role,
        "Handler": Handler,
        "Description": Description,
        "Timeout": Timeout,
        "MemorySize": MemorySize,
        "VpcConfig": _vpc(call, door, VpcConfig),
        "DeadLetterConfig": DeadLetterConfig,
        "Environment": Environment,
        "KMSKeyArn": KMSKeyArn,
        "TracingConfig": TracingConfig or {"Mode": "PassThrough"},
        "Layers": _layers(Layers),
        "FileSystemConfigs": FileSystemConfigs,
        "ImageConfigResponse": None if ImageConfig is None else {"ImageConfig": ImageConfig},
        "Architectures": Architectures,
        "EphemeralStorage": EphemeralStorage or {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"} | dict(SnapStart or {}),
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{who.name}"} | dict(LoggingConfig or {}),
        "PackageType": package,
    }
    names = {"FunctionName": who.name, "FunctionArn": who.arn, "Version": LATEST}
    config: dict[str, Any] = {**names, **DEFAULTS, **_given(chosen)}
    _check(config)
    function: dict[str, Any] = {
        "config": _stamped({**config, **code.members}, call, world),
        "code": code.key,
        "image": code.image,
        "tags": dict(Tags or {}),
        "versions": {},
        "aliases": {},
        "policies": {},
        "reserved": None,
    }
    answer = published(function, None)["config"] if Publish else function["config"]
    shelf.put(who.key, function)
    return dict(answer)


@dataclass(frozen=True, slots=True)
class _Code:
    """Where the code is kept, and what the configuration says of it."""

    members: Mapping[str, Any]
    key: str | None = None
    image: str | None = None


def _code(call: Call, codes: Codes, door: Door, given: Mapping[str, Any], package: str) -> _Code:
    if package == "Image":
        image = str(given.get("ImageUri") or "")
        if not image:
            raise fault.InvalidParameterValueException("Please provide ImageUri for a function of package type Image.")
        digest = hashlib.sha256(image.encode()).hexdigest()
        return _Code({"CodeSize": 0, "CodeSha256": digest}, image=image)
    body = given.get("ZipFile")
    if body is None:
        body = _from_s3(call, door, given)
    try:
        key = codes.keep(call.account, body)
    except BadArchive as error:
        raise fault.InvalidParameterValueException(f"Could not unzip uploaded file: {error}.") from error
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return _Code({"CodeSize": len(body), "CodeSha256": digest}, key=key)


def _from_s3(call: Call, door: Door, given: Mapping[str, Any]) -> bytes:
    """The object, fetched as the caller, who must be allowed to read it."""
    if not (given.get("S3Bucket") and given.get("S3Key")):
        raise fault.InvalidParameterValueException("Please provide a source for function code.")
    wanted = {"Bucket": given["S3Bucket"], "Key": given["S3Key"]}
    if given.get("S3ObjectVersion"):
        wanted["VersionId"] = given["S3ObjectVersion"]
    by = replace(call.principal, invoked_by="lambda.amazonaws.com")
    try:
        answer = door.call("s3", "GetObject", wanted, account=call.account, region=call.region, as_=by)
    except Fault as error:
        raise fault.InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    return bytes(answer["Body"])


def _vpc(call: Call, door: Door, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    subnets, groups = list(given.get("SubnetIds") or ()), list(given.get("SecurityGroupIds") or ())
    config: dict[str, Any] = {"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": ""}
    if subnets:
        by = replace(call.principal, invoked_by="lambda.amazonaws.com")
        try:
            found = door.call(
                "ec2", "DescribeSubnets", {"SubnetIds": subnets}, account=call.account, region=call.region, as_=by
            )
        except Fault as error:
            raise fault.InvalidParameterValueException(
                f"Error occurred while DescribeSubnets. EC2 Error Code: {error.code}. "
                f"EC2 Error Message: {error.message}"
            ) from error
        config["VpcId"] = found["Subnets"][0]["VpcId"]
    return config


def _layers(given: Sequence[str] | None) -> list[dict[str, Any]] | None:
    return None if given is None else [{"Arn": arn, "CodeSize": 0} for arn in given]


def _refuse(**members: Any) -> None:
    for name, value in members.items():
        if value:
            raise fault.InvalidParameterValueException(f"A function with {name} {NOT_YET}.")


def _check(config: Mapping[str, Any]) -> None:
    if config["Timeout"] > TIMEOUT_SECONDS_MAX:
        raise fault.InvalidParameterValueException(
            f"Timeout must be at most {TIMEOUT_SECONDS_MAX} seconds; got {config['Timeout']}."
        )
    if config["MemorySize"] > MEMORY_MIB_MAX:
        raise fault.InvalidParameterValueException(
            f"MemorySize must be at most {MEMORY_MIB_MAX} MB; got {config['MemorySize']}."
        )
    variables = config.get("Environment", {}).get("Variables", {})
    reserved = sorted(set(variables) & set(RESERVED))
    if reserved:
        raise fault.InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    size = sum(len(name) + len(str(value)) for name, value in variables.items())
    if size > ENVIRONMENT_BYTES_MAX:
        raise fault.InvalidParameterValueException(
            f"The environment variables have {size} bytes together, more than {ENVIRONMENT_BYTES_MAX}."
        )


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _stamped(config: Mapping[str, Any], call: Call, world: World) -> dict[str, Any]:
    """The configuration as it is from now on."""
    now = f"{call.now:%Y-%m-%dT%H:%M:%S}.{call.now.microsecond // 1000:03d}+0000"
    state = {"State": "Active", "LastUpdateStatus": "Successful"}
    return {**config, "LastModified": now, "RevisionId": world.uuid(), **state}


@operation("lambda")
def get_function(call: Call, shelf: StagedShelf, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    """The configuration, tags and reserved concurrency. No address is told for the code: none would answer."""
    _, function, version = find_version(call, shelf, FunctionName, Qualifier)
    image = function["image"]
    code = {"RepositoryType": "S3"} if image is None else {"RepositoryType": "ECR", "ImageUri": image}
    answer: dict[str, Any] = {"Configuration": version["config"], "Code": code}
    if function["tags"]:
        answer["Tags"] = function["tags"]
    if function["reserved"] is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": function["reserved"]}
    return answer


@operation("lambda")
def get_function_configuration(
    call: Call, shelf: StagedShelf, *, FunctionName: str, Qualifier: str | None = None
) -> dict[str, Any]:
    return dict(find_version(call, shelf, FunctionName, Qualifier)[2]["config"])


@operation("lambda")
def list_functions(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    MasterRegion: str | None = None,
    FunctionVersion: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    """The functions by name; with `FunctionVersion` ALL, every version of each."""
    found: list[Mapping[str, Any]] = []
    for _, function in shelf.documents(call.account, call.region, FUNCTION):
        found.append(function["config"])
        if FunctionVersion == "ALL":
            found += [version["config"] for version in function["versions"].values()]
    question = ["functions", call.account, call.region, FunctionVersion]
    limit = min(MaxItems or PAGE_SIZE, PAGE_SIZE)
    shown, token = page(tokens, question, found, limit=limit, token=Marker, refuse=fault.InvalidParameterValueException)
    return {"Functions": shown} | ({"NextMarker": token} if token else {})


@operation("lambda")
def update_function_code(
    call: Call,
    shelf: StagedShelf,
    codes: Codes,
    door: Door,
    world: World,
    *,
    FunctionName: str,
    ZipFile: bytes | None = None,
    S3Bucket: str | None = None,
    S3Key: str | None = None,
    S3ObjectVersion: str | None = None,
    S3ObjectStorageMode: str | None = None,
    ImageUri: str | None = None,
    Architectures: Sequence[str] | None = None,
    Publish: bool | None = None,
    PublishTo: str | None = None,
    DryRun: bool | None = None,
    RevisionId: str | None = None,
    SourceKMSKeyArn: str | None = None,
) -> dict[str, Any]:
    """Other code under the same configuration."""
    who, function = find(call, shelf, FunctionName)
    hold_revision(function, RevisionId)
    _refuse(PublishTo=PublishTo)
    given = {
        "ZipFile": ZipFile,
        "S3Bucket": S3Bucket,
        "S3Key": S3Key,
        "S3ObjectVersion": S3ObjectVersion,
        "ImageUri": ImageUri,
    }
    code = _code(call, codes, door, given, function["config"]["PackageType"])
    changes = dict(code.members) | ({} if Architectures is None else {"Architectures": list(Architectures)})
    config = _stamped(function["config"] | changes, call, world)
    if DryRun:
        return config
    function |= {"config": config, "code": code.key, "image": code.image}
    answer = published(function, None)["config"] if Publish else config
    shelf.put(who.key, function)
    return dict(answer)


@operation("lambda")
def update_function_configuration(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    world: World,
    *,
    FunctionName: str,
    Role: str | None = None,
    Handler: str | None = None,
    Description: str | None = None,
    Timeout: int | None = None,
    MemorySize: int | None = None,
    VpcConfig: Mapping[str, Any] | None = None,
    Environment: Mapping[str, Any] | None = None,
    Runtime: str | None = None,
    DeadLetterConfig: Mapping[str, Any] | None = None,
    KMSKeyArn: str | None = None,
    TracingConfig: Mapping[str, Any] | None = None,
    RevisionId: str | None = None,
    Layers: Sequence[str] | None = None,
    FileSystemConfigs: Sequence[Mapping[str, Any]] | None = None,
    ImageConfig: Mapping[str, Any] | None = None,
    EphemeralStorage: Mapping[str, Any] | None = None,
    SnapStart: Mapping[str, Any] | None = None,
    LoggingConfig: Mapping[str, Any] | None = None,
    CapacityProviderConfig: Mapping[str, Any] | None = None,
    DurableConfig: Mapping[str, Any] | None = None,
    RuntimeConfig: Mapping[str, Any] | None = None,
    AcceleratorConfig: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is given changes; everything else stays."""
    who, function = find(call, shelf, FunctionName)
    hold_revision(function, RevisionId)
    _refuse(
        CapacityProviderConfig=CapacityProviderConfig,
        DurableConfig=DurableConfig,
        AcceleratorConfig=AcceleratorConfig,
    )
    old = function["config"]
    changes = {
        "Role": Role,
        "Handler": Handler,
        "Description": Description,
        "Timeout": Timeout,
        "MemorySize": MemorySize,
        "VpcConfig": _vpc(call, door, VpcConfig),
        "Environment": Environment,
        "Runtime": Runtime,
        "DeadLetterConfig": DeadLetterConfig,
        "KMSKeyArn": KMSKeyArn,
        "TracingConfig": TracingConfig,
        "Layers": _layers(Layers),
        "FileSystemConfigs": FileSystemConfigs,
        "ImageConfigResponse": None if ImageConfig is None else {"ImageConfig": ImageConfig},
        "EphemeralStorage": EphemeralStorage,
        "SnapStart": None if SnapStart is None else old["SnapStart"] | dict(SnapStart),
        "LoggingConfig": None if LoggingConfig is None else old["LoggingConfig"] | dict(LoggingConfig),
    }
    config = old | _given(changes)
    _check(config)
    function["config"] = _stamped(config, call, world)
    shelf.put(who.key, function)
    return dict(function["config"])


@operation("lambda")
def delete_function(
    call: Call, shelf: StagedShelf, *, FunctionName: str, Qualifier: str | None = None
) -> dict[str, Any]:
    """The function with all its versions, or one version that no alias points to."""
    who, function = find(call, shelf, FunctionName, Qualifier)
    if who.qualifier in (None, LATEST):
        shelf.delete(who.key)
        return {"StatusCode": 204}
    pointing = [name for name, alias in function["aliases"].items() if alias["FunctionVersion"] == who.qualifier]
    if pointing:
        raise fault.ResourceConflictException(f"The version is used by the aliases {', '.join(pointing)}.", Type="User")
    left = {number: version for number, version in function["versions"].items() if number != who.qualifier}
    shelf.put(who.key, function | {"versions": left})
    return {"StatusCode": 204}
