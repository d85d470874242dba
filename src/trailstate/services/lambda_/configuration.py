"""What a function is configured with: what a call says of it, within Lambda's bounds.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trailstate.services.lambda_.found import fault
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault
from trailstate.wire.spelling import NOT_SUPPORTED
from trailstate.world import World

ENVIRONMENT_BYTES_MAX = 4096
TIMEOUT_SECONDS_MAX = 900
MEMORY_MIB_MAX = 10_240
RESERVED = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
AS_GIVEN = (
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "KMSKeyArn",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
)
"""Members of calls that stand in the configuration as they are."""
UNSUPPORTED = (
    "AcceleratorConfig",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DurableConfig",
    "PublishTo",
    "TenancyConfig",
)


def defaults(name: str) -> dict[str, Any]:
    """What a function has of which its maker says nothing."""
    return {
        "Architectures": ["x86_64"],
        "Description": "",
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "MemorySize": 128,
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
    }


def configured(call: Call, door: Door, before: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with what the call says of it; InvalidParameterValueException."""
    members = call.parameters
    for name in UNSUPPORTED:
        if members.get(name):
            raise fault.InvalidParameterValueException(f"A function with {name} {NOT_SUPPORTED}.")
    image, layers = members.get("ImageConfig"), members.get("Layers")
    told = {
        **{name: members.get(name) for name in AS_GIVEN},
        "VpcConfig": _vpc(call, door, members.get("VpcConfig")),
        "Layers": None if layers is None else [{"Arn": arn, "CodeSize": 0} for arn in layers],
        "ImageConfigResponse": None if image is None else {"ImageConfig": image},
        **{name: _merged(before, members, name) for name in ("LoggingConfig", "SnapStart")},
    }
    config = {**before, **{name: value for name, value in told.items() if value is not None}}
    _check(config)
    return config


def _merged(before: Mapping[str, Any], members: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What is not said of it stays."""
    return None if members.get(name) is None else {**before[name], **members[name]}


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


def _check(config: Mapping[str, Any]) -> None:
    """InvalidParameterValueException for what no function may have."""
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


def stamped(config: Mapping[str, Any], call: Call, world: World) -> dict[str, Any]:
    """The configuration as it is from now on."""
    now = f"{call.now:%Y-%m-%dT%H:%M:%S}.{call.now.microsecond // 1000:03d}+0000"
    state = {"State": "Active", "LastUpdateStatus": "Successful"}
    return {**config, "LastModified": now, "RevisionId": world.uuid(), **state}
