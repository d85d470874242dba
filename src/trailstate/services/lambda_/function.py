"""Lambda functions: created, read, changed, deleted. Any runtime is described; what can run is told by Invoke.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.functions.archive import Codes
from trailstate.functions.function import FUNCTION, LATEST, Named
from trailstate.services.lambda_.code import code_of
from trailstate.services.lambda_.configuration import configured, defaults, stamped
from trailstate.services.lambda_.found import fault, find, find_version, hold_revision, named_by
from trailstate.services.lambda_.version import published
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.world import World

PAGE_SIZE = 50


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
    who = _fresh(call, shelf, FunctionName)
    package = PackageType or "Zip"
    if package == "Zip" and not (Runtime and Handler):
        raise fault.InvalidParameterValueException("Runtime and Handler are mandatory parameters for a zip package.")
    names = {"FunctionName": who.name, "FunctionArn": who.arn, "Version": LATEST, "PackageType": package}
    config = configured(call, door, names | defaults(who.name))
    code = code_of(call, codes, door, Code, package)
    function: dict[str, Any] = {
        "config": stamped({**config, **code.members}, call, world),
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


def _fresh(call: Call, shelf: StagedShelf, name: str) -> Named:
    """The name of a function that is to be made; ResourceConflictException when there is one."""
    who = named_by(call, name)
    if (who.account, who.region) != (call.account, call.region):
        raise fault.InvalidParameterValueException("A function is created in the caller's own account and region.")
    if shelf.get(who.key) is not None:
        raise fault.ResourceConflictException(f"Function already exist: {who.name}", Type="User")
    return who


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
    config = configured(call, door, function["config"])
    code = code_of(call, codes, door, call.parameters, config["PackageType"])
    config = stamped({**config, **code.members}, call, world)
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
    config = stamped(configured(call, door, function["config"]), call, world)
    shelf.put(who.key, function | {"config": config})
    return config


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
