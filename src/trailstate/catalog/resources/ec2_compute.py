"""EC2's machines: instance, volume, launch template."""

from typing import Any

from trailstate.catalog.resources.ec2_network import TAGGED
from trailstate.catalog.touch import answered, anywhere, asked, starting_with, wrapped
from trailstate.configuration.form import Describe, Look, Relation, ResourceType

STANDING = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}]
"""AWS Config counts an instance as deleted once it is terminated, though EC2 shows it for another hour."""

INSTANCE = ResourceType(
    name="AWS::EC2::Instance",
    listing=Describe("ec2", "DescribeInstances", {"Filters": STANDING}, "Reservations[].Instances[]"),
    key="InstanceId",
    describe=Describe(
        "ec2",
        "DescribeInstances",
        {"InstanceIds": ["{key}"], "Filters": STANDING},
        "Reservations[].Instances[]",
        ("InvalidInstanceID.NotFound",),
    ),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:instance/{InstanceId}",
    created="{LaunchTime}",
    zone="{Placement.AvailabilityZone}",
    keeps=("Tags", "MetadataOptions", "ProductCodes"),
    relations=(
        Relation(
            "AWS::EC2::NetworkInterface", "Contains NetworkInterface", at="NetworkInterfaces[].NetworkInterfaceId"
        ),
        Relation("AWS::EC2::SecurityGroup", "Is associated with SecurityGroup", at="SecurityGroups[].GroupId"),
        Relation("AWS::EC2::Subnet", "Is contained in Subnet", at="SubnetId"),
        Relation("AWS::EC2::Volume", "Is attached to Volume", at="BlockDeviceMappings[].Ebs.VolumeId"),
        Relation("AWS::EC2::VPC", "Is contained in Vpc", at="VpcId"),
    ),
    touched_by=TAGGED
    | answered("instancesSet.items[].instanceId", "RunInstances")
    | asked(
        "instancesSet.items[].instanceId",
        "MonitorInstances",
        "RebootInstances",
        "StartInstances",
        "StopInstances",
        "TerminateInstances",
        "UnmonitorInstances",
    )
    | asked(
        "instanceId",
        "AssociateAddress",
        "AttachNetworkInterface",
        "AttachVolume",
        "ModifyInstanceAttribute",
        "ModifyInstancePlacement",
        "ResetInstanceAttribute",
    )
    | wrapped(
        "InstanceId",
        "AssociateIamInstanceProfile",
        "ModifyInstanceMaintenanceOptions",
        "ModifyInstanceMetadataOptions",
    )
    | anywhere(
        "DetachNetworkInterface",
        "DetachVolume",
        "DisassociateAddress",
        "DisassociateIamInstanceProfile",
        "ModifyNetworkInterfaceAttribute",
        "ReplaceIamInstanceProfileAssociation",
    ),
    read_key=starting_with("i-"),
)

VOLUME = ResourceType(
    name="AWS::EC2::Volume",
    listing=Describe("ec2", "DescribeVolumes", at="Volumes[]"),
    key="VolumeId",
    describe=Describe("ec2", "DescribeVolumes", {"VolumeIds": ["{key}"]}, "Volumes[]", ("InvalidVolume.NotFound",)),
    listed_whole=True,
    arn="arn:aws:ec2:{region}:{account}:volume/{VolumeId}",
    created="{CreateTime}",
    zone="{AvailabilityZone}",
    keeps=("Tags",),
    relations=(Relation("AWS::EC2::Instance", "Is attached to Instance", at="Attachments[].InstanceId"),),
    touched_by=TAGGED
    | answered("volumeId", "CreateVolume")
    | answered("instancesSet.items[].blockDeviceMapping.items[].ebs.volumeId", "RunInstances")
    | asked("volumeId", "AttachVolume", "DeleteVolume", "DetachVolume", "ModifyVolumeAttribute")
    | wrapped("VolumeId", "ModifyVolume")
    | anywhere("TerminateInstances"),
    read_key=starting_with("vol-"),
)

DEFAULT_VERSION = Describe(
    "ec2",
    "DescribeLaunchTemplateVersions",
    {"LaunchTemplateId": "{key}", "Versions": ["$Default"]},
    "LaunchTemplateVersions[].LaunchTemplateData",
)


def _default_version(look: Look) -> Any:
    """What an item says of a template is what its default version says."""
    return next(iter(look.ask(DEFAULT_VERSION) or ()), {})


LAUNCH_TEMPLATE = ResourceType(
    name="AWS::EC2::LaunchTemplate",
    listing=Describe("ec2", "DescribeLaunchTemplates", at="LaunchTemplates[]"),
    key="LaunchTemplateId",
    describe=Describe(
        "ec2",
        "DescribeLaunchTemplates",
        {"LaunchTemplateIds": ["{key}"]},
        "LaunchTemplates[]",
        ("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException"),
    ),
    more={"LaunchTemplateData": _default_version},
    resource_name="{LaunchTemplateName}",
    arn="arn:aws:ec2:{region}:{account}:launch-template/{LaunchTemplateId}",
    created="{CreateTime}",
    renames={"LaunchTemplateId": "Id"},
    keeps=("Tags",),
    touched_by=TAGGED
    | answered("CreateLaunchTemplateResponse.launchTemplate.launchTemplateId", "CreateLaunchTemplate")
    | answered(
        "CreateLaunchTemplateVersionResponse.launchTemplateVersion.launchTemplateId", "CreateLaunchTemplateVersion"
    )
    | answered("DeleteLaunchTemplateResponse.launchTemplate.launchTemplateId", "DeleteLaunchTemplate")
    | anywhere("DeleteLaunchTemplateVersions", "ModifyLaunchTemplate"),
    read_key=starting_with("lt-"),
)

RESOURCES = (INSTANCE, VOLUME, LAUNCH_TEMPLATE)
