"""What spreads and scales: classic and newer load balancers, listener, launch configuration, Auto Scaling group."""

from typing import Any

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import REQUEST, RESPONSE, anywhere, arn_like, asked, at
from trailstate.configuration.form import Describe, Fact, Look, Part, Relation, ResourceType

MANY_ZONES = "Multiple Availability Zones"

CLASSIC_GONE = ("LoadBalancerNotFound", "AccessPointNotFound")


def _classic(operation: str, at: str, many: bool = False) -> Describe:
    named = {"LoadBalancerNames": ["{key}"]} if many else {"LoadBalancerName": "{key}"}
    return Describe("elb", operation, named, at, CLASSIC_GONE)


CLASSIC_BALANCER = ResourceType(
    name="AWS::ElasticLoadBalancing::LoadBalancer",
    listing=Describe("elb", "DescribeLoadBalancers", at="LoadBalancerDescriptions[]"),
    key="LoadBalancerName",
    describe=_classic("DescribeLoadBalancers", "LoadBalancerDescriptions[]", many=True),
    listed_whole=True,
    more={"Tags": _classic("DescribeTags", "TagDescriptions[].Tags[]", many=True)},
    resource_name="{key}",
    arn="arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{key}",
    created="{CreatedTime}",
    zone=MANY_ZONES,
    relations=(
        Relation("AWS::EC2::SecurityGroup", "Is associated with ", at="SecurityGroups[]"),
        Relation("AWS::EC2::Subnet", "Is attached to ", at="Subnets[]"),
        Relation("AWS::EC2::VPC", "Is contained in ", at="VPCId"),
    ),
    parts=(
        Part("LoadBalancerAttributes", _classic("DescribeLoadBalancerAttributes", "LoadBalancerAttributes")),
        Part("LoadBalancerPolicies", _classic("DescribeLoadBalancerPolicies", "PolicyDescriptions[]")),
        tags_part(),
    ),
    touched_by=asked(
        "loadBalancerName",
        "ApplySecurityGroupsToLoadBalancer",
        "AttachLoadBalancerToSubnets",
        "ConfigureHealthCheck",
        "CreateAppCookieStickinessPolicy",
        "CreateLBCookieStickinessPolicy",
        "CreateLoadBalancer",
        "CreateLoadBalancerListeners",
        "CreateLoadBalancerPolicy",
        "DeleteLoadBalancer",
        "DeleteLoadBalancerListeners",
        "DeleteLoadBalancerPolicy",
        "DeregisterInstancesFromLoadBalancer",
        "DetachLoadBalancerFromSubnets",
        "DisableAvailabilityZonesForLoadBalancer",
        "EnableAvailabilityZonesForLoadBalancer",
        "ModifyLoadBalancerAttributes",
        "RegisterInstancesWithLoadBalancer",
        "SetLoadBalancerListenerSSLCertificate",
        "SetLoadBalancerPoliciesForBackendServer",
        "SetLoadBalancerPoliciesOfListener",
    )
    | asked("loadBalancerNames[]", "AddTags", "RemoveTags"),
)

BALANCER_GONE = ("LoadBalancerNotFound", "LoadBalancerNotFoundException")
ANY_ARN = (f"{REQUEST}.resourceArns[]",)

WEB_ACL = Describe(
    "wafv2", "GetWebACLForResource", {"ResourceArn": "{key}"}, "WebACL", ("WAFNonexistentItemException",)
)


def _web_acl(look: Look) -> Any:
    """Which web ACL stands before an application load balancer; others can have none."""
    acl = look.ask(WEB_ACL) if look.raw.get("Type") == "application" else None
    return acl and {"Id": acl["Id"], "ARN": acl["ARN"]}


BALANCER = ResourceType(
    name="AWS::ElasticLoadBalancingV2::LoadBalancer",
    listing=Describe("elbv2", "DescribeLoadBalancers", at="LoadBalancers[]"),
    key="LoadBalancerArn",
    describe=Describe(
        "elbv2", "DescribeLoadBalancers", {"LoadBalancerArns": ["{key}"]}, "LoadBalancers[]", BALANCER_GONE
    ),
    listed_whole=True,
    more={
        "Tags": Describe(
            "elbv2", "DescribeTags", {"ResourceArns": ["{key}"]}, "TagDescriptions[].Tags[]", BALANCER_GONE
        )
    },
    resource_name="{LoadBalancerName}",
    arn="{key}",
    created="{CreatedTime}",
    zone=MANY_ZONES,
    relations=(
        Relation("AWS::EC2::SecurityGroup", "Is associated with SecurityGroup", at="SecurityGroups[]"),
        Relation("AWS::EC2::Subnet", "Is attached to Subnet", at="AvailabilityZones[].SubnetId"),
        Relation("AWS::EC2::VPC", "Is contained in Vpc", at="VpcId"),
    ),
    parts=(
        Part(
            "LoadBalancerAttributes",
            Describe(
                "elbv2", "DescribeLoadBalancerAttributes", {"LoadBalancerArn": "{key}"}, "Attributes[]", BALANCER_GONE
            ),
        ),
        tags_part(),
    ),
    facts=(Fact("WebAcl", _web_acl),),
    touched_by=at((f"{RESPONSE}.loadBalancers[].loadBalancerArn",), "CreateLoadBalancer")
    | asked(
        "loadBalancerArn",
        "CreateListener",
        "DeleteLoadBalancer",
        "ModifyLoadBalancerAttributes",
        "SetIpAddressType",
        "SetSecurityGroups",
        "SetSubnets",
    )
    | at(ANY_ARN, "AddTags", "RemoveTags")
    | asked("resourceArn", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"),
    read_key=arn_like(":loadbalancer/app/", ":loadbalancer/net/", ":loadbalancer/gwy/"),
)

LISTENER_GONE = ("ListenerNotFound", "ListenerNotFoundException", *BALANCER_GONE)


def _listeners(look: Look) -> Any:
    """Listeners are listed balancer by balancer."""
    balancers = look.ask(Describe("elbv2", "DescribeLoadBalancers", at="LoadBalancers[].LoadBalancerArn")) or ()
    asked_for = (
        look.ask(Describe("elbv2", "DescribeListeners", {"LoadBalancerArn": arn}, "Listeners[]", BALANCER_GONE))
        for arn in balancers
    )
    return [listener for found in asked_for for listener in found or ()]


LISTENER = ResourceType(
    name="AWS::ElasticLoadBalancingV2::Listener",
    listing=_listeners,
    key="ListenerArn",
    describe=Describe("elbv2", "DescribeListeners", {"ListenerArns": ["{key}"]}, "Listeners[]", LISTENER_GONE),
    listed_whole=True,
    more={
        "Tags": Describe(
            "elbv2", "DescribeTags", {"ResourceArns": ["{key}"]}, "TagDescriptions[].Tags[]", LISTENER_GONE
        )
    },
    arn="{key}",
    zone="Regional",
    service="elbv2",
    touched_by=at((f"{RESPONSE}.listeners[].listenerArn",), "CreateListener", "ModifyListener")
    | asked("listenerArn", "AddListenerCertificates", "DeleteListener", "RemoveListenerCertificates")
    | at(ANY_ARN, "AddTags", "RemoveTags")
    | anywhere("DeleteLoadBalancer"),
    read_key=arn_like(":listener/"),
)

LAUNCH_CONFIGURATION = ResourceType(
    name="AWS::AutoScaling::LaunchConfiguration",
    listing=Describe("autoscaling", "DescribeLaunchConfigurations", at="LaunchConfigurations[]"),
    key="LaunchConfigurationName",
    describe=Describe(
        "autoscaling",
        "DescribeLaunchConfigurations",
        {"LaunchConfigurationNames": ["{key}"]},
        "LaunchConfigurations[]",
    ),
    listed_whole=True,
    id="{LaunchConfigurationARN}",
    resource_name="{key}",
    arn="{LaunchConfigurationARN}",
    created="{CreatedTime}",
    relations=(Relation("AWS::EC2::SecurityGroup", "Is associated with ", at="SecurityGroups[]"),),
    touched_by=asked("launchConfigurationName", "CreateLaunchConfiguration", "DeleteLaunchConfiguration"),
)


def _subnets(look: Look) -> list[str]:
    """A group names its subnets in one text, parted by commas."""
    return [each.strip() for each in (look.raw.get("VPCZoneIdentifier") or "").split(",") if each.strip()]


SCALING_GROUP = ResourceType(
    name="AWS::AutoScaling::AutoScalingGroup",
    listing=Describe("autoscaling", "DescribeAutoScalingGroups", at="AutoScalingGroups[]"),
    key="AutoScalingGroupName",
    describe=Describe(
        "autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["{key}"]}, "AutoScalingGroups[]"
    ),
    listed_whole=True,
    more={"SubnetIds": _subnets},
    id="{AutoScalingGroupARN}",
    resource_name="{key}",
    arn="{AutoScalingGroupARN}",
    created="{CreatedTime}",
    zone=MANY_ZONES,
    renames={"VPCZoneIdentifier": "vpczoneIdentifier"},
    keeps=("TargetGroupARNs", "Tags"),
    relations=(
        Relation("AWS::EC2::Instance", "Contains Instance", at="Instances[].InstanceId"),
        Relation(
            "AWS::ElasticLoadBalancing::LoadBalancer", "Is associated with ", at="LoadBalancerNames[]", resource_name=""
        ),
        Relation(
            "AWS::AutoScaling::LaunchConfiguration",
            "Is associated with ",
            at="LaunchConfigurationName",
            id=None,
            resource_name="",
        ),
        Relation("AWS::EC2::Subnet", "Is associated with ", at="SubnetIds[]"),
    ),
    parts=(
        Part(
            "LifeCycleHooks",
            Describe("autoscaling", "DescribeLifecycleHooks", {"AutoScalingGroupName": "{key}"}, "LifecycleHooks[]"),
        ),
    ),
    touched_by=asked(
        "autoScalingGroupName",
        "AttachInstances",
        "AttachLoadBalancerTargetGroups",
        "AttachLoadBalancers",
        "CreateAutoScalingGroup",
        "DeleteAutoScalingGroup",
        "DeleteLifecycleHook",
        "DeletePolicy",
        "DetachInstances",
        "DetachLoadBalancerTargetGroups",
        "DetachLoadBalancers",
        "DisableMetricsCollection",
        "EnableMetricsCollection",
        "PutLifecycleHook",
        "PutScalingPolicy",
        "ResumeProcesses",
        "SetDesiredCapacity",
        "SuspendProcesses",
        "UpdateAutoScalingGroup",
    )
    | asked("tags[].resourceId", "CreateOrUpdateTags", "DeleteTags")
    | anywhere("SetInstanceProtection", "TerminateInstanceInAutoScalingGroup"),
)

RESOURCES = (CLASSIC_BALANCER, BALANCER, LISTENER, LAUNCH_CONFIGURATION, SCALING_GROUP)
