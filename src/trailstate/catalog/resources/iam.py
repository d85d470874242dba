"""IAM: user, group, role and customer managed policy, each with its policies and who stands behind them.

Items name a principal by its unique id (`AIDA...`), the API by its name; policy documents stay URL-encoded, as the
API answers them and as AWS's items hold them.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from trailstate.catalog.touch import REQUEST, RESPONSE, anywhere, asked, at
from trailstate.configuration.form import Describe, Fact, Look, Relation, ResourceType
from trailstate.values.arn import account_of_arn

ABSENT = ("NoSuchEntity", "NoSuchEntityException")

Found = list[dict[str, Any]]


def _iam(operation: str, at: str, **parameters: str) -> Describe:
    return Describe("iam", operation, parameters, at, ABSENT)


def _inline(look: Look, kind: str) -> Found:
    """The inline policies of a `User`, `Group` or `Role` with their documents."""
    found = []
    for name in look.ask(_iam(f"List{kind}Policies", "PolicyNames[]", **{f"{kind}Name": "{key}"})) or ():
        policy = look.ask(_iam(f"Get{kind}Policy", "", **{f"{kind}Name": "{key}", "PolicyName": name}))
        if policy is not None:
            found.append({"PolicyName": name, "PolicyDocument": encoded(policy["PolicyDocument"])})
    return found


def _attached(look: Look, kind: str) -> Found:
    """The managed policies attached to a `User`, `Group` or `Role`."""
    listed = _iam(f"ListAttached{kind}Policies", "AttachedPolicies[]", **{f"{kind}Name": "{key}"})
    return look.ask(listed) or []


def _own(look: Look, attached: Sequence[Mapping[str, Any]]) -> Found:
    """Of these policies those of the account: only they are resources, and their ids stand in relationships."""
    ours = [each["PolicyArn"] for each in attached if is_own_policy(each["PolicyArn"])]
    asked_for = (look.ask(_iam("GetPolicy", "Policy", PolicyArn=arn)) for arn in ours)
    return [policy for policy in asked_for if policy is not None]


def is_own_policy(arn: str) -> bool:
    """Whether the ARN is one of a policy of some account, not of AWS."""
    return account_of_arn(arn) is not None


def _own_policy_key(arn: str) -> str:
    return arn if is_own_policy(arn) else ""


def _user(look: Look) -> Any:
    user = look.ask(_iam("GetUser", "User", UserName="{key}"))
    if user is None:
        return None
    attached = _attached(look, "User")
    groups = look.ask(_iam("ListGroupsForUser", "Groups[]", UserName="{key}")) or []
    return {
        **user,
        "UserPolicyList": _inline(look, "User"),
        "GroupList": [group["GroupName"] for group in groups],
        "AttachedManagedPolicies": attached,
        "Groups": groups,
        "OwnPolicies": _own(look, attached),
    }


def _access_keys(look: Look) -> Any:
    keys = look.ask(_iam("ListAccessKeys", "AccessKeyMetadata[]", UserName="{key}")) or ()
    return [
        {
            "AccessKeyId": each["AccessKeyId"],
            "Status": each["Status"],
            "CreateDate": each.get("CreateDate"),
            "LastUsedDate": look.ask(
                _iam("GetAccessKeyLastUsed", "AccessKeyLastUsed.LastUsedDate", AccessKeyId=each["AccessKeyId"])
            ),
        }
        for each in keys
    ]


IN_POLICY = Relation(
    "AWS::IAM::Policy",
    "Is attached to CustomerManagedPolicy",
    at="OwnPolicies[]",
    id="PolicyId",
    resource_name="PolicyName",
)

TOUCHES_USER = (
    "AddUserToGroup",
    "AttachUserPolicy",
    "CreateUser",
    "DeleteLoginProfile",
    "DeleteServiceSpecificCredential",
    "DeleteUser",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "RemoveUserFromGroup",
    "TagUser",
    "UntagUser",
    "UpdateLoginProfile",
)
ON_ONESELF = (
    "CreateLoginProfile",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "EnableMFADevice",
    "ResyncMFADevice",
    "UpdateAccessKey",
)
"""Calls that are about the caller when they name nobody."""

USER = ResourceType(
    name="AWS::IAM::User",
    listing=Describe("iam", "ListUsers", at="Users[]"),
    key="UserName",
    describe=_user,
    id="{UserId}",
    resource_name="{UserName}",
    arn="{Arn}",
    created="{CreateDate}",
    is_global=True,
    keeps=("UserPolicyList.PolicyDocument", "Tags"),
    relations=(
        Relation("AWS::IAM::Group", "Is attached to Group", at="Groups[]", id="GroupId", resource_name="GroupName"),
        IN_POLICY,
    ),
    facts=(
        Fact("AccessKeys", _access_keys),
        Fact("MFADevices", _iam("ListMFADevices", "MFADevices[]", UserName="{key}")),
        Fact("LoginProfile", _iam("GetLoginProfile", "LoginProfile", UserName="{key}")),
        Fact("PasswordLastUsed", lambda look: look.raw.get("PasswordLastUsed")),
    ),
    touched_by=asked("userName", *TOUCHES_USER)
    | at((f"{REQUEST}.userName", "userIdentity.userName"), *ON_ONESELF)
    | at("userIdentity.userName", "ChangePassword")
    | at(f"{RESPONSE}.accessKey.userName", "CreateAccessKey")
    | at((f"{REQUEST}.newUserName", f"{REQUEST}.userName"), "UpdateUser")
    | anywhere("DeleteGroup", "DeletePolicy", "DeleteVirtualMFADevice", "UpdateGroup"),
)


def _group(look: Look) -> Any:
    answer = look.ask(_iam("GetGroup", "", GroupName="{key}"))
    if answer is None:
        return None
    attached = _attached(look, "Group")
    return {
        **answer["Group"],
        "GroupPolicyList": _inline(look, "Group"),
        "AttachedManagedPolicies": attached,
        "Users": answer.get("Users", []),
        "OwnPolicies": _own(look, attached),
    }


GROUP = ResourceType(
    name="AWS::IAM::Group",
    listing=Describe("iam", "ListGroups", at="Groups[]"),
    key="GroupName",
    describe=_group,
    id="{GroupId}",
    resource_name="{GroupName}",
    arn="{Arn}",
    created="{CreateDate}",
    is_global=True,
    keeps=("GroupPolicyList.PolicyDocument",),
    relations=(
        Relation("AWS::IAM::User", "Contains User", at="Users[]", id="UserId", resource_name="UserName"),
        IN_POLICY,
    ),
    touched_by=asked(
        "groupName",
        "AddUserToGroup",
        "AttachGroupPolicy",
        "CreateGroup",
        "DeleteGroup",
        "DeleteGroupPolicy",
        "DetachGroupPolicy",
        "PutGroupPolicy",
        "RemoveUserFromGroup",
    )
    | at((f"{REQUEST}.newGroupName", f"{REQUEST}.groupName"), "UpdateGroup")
    | anywhere("DeletePolicy", "DeleteUser", "UpdateUser"),
)


def _role(look: Look) -> Any:
    role = look.ask(_iam("GetRole", "Role", RoleName="{key}"))
    if role is None:
        return None
    attached = _attached(look, "Role")
    profiles = _iam("ListInstanceProfilesForRole", "InstanceProfiles[]", RoleName="{key}")
    return {
        **role,
        "AssumeRolePolicyDocument": encoded(role["AssumeRolePolicyDocument"]),
        "InstanceProfileList": look.ask(profiles) or [],
        "RolePolicyList": _inline(look, "Role"),
        "AttachedManagedPolicies": attached,
        "OwnPolicies": _own(look, attached),
    }


ROLE = ResourceType(
    name="AWS::IAM::Role",
    listing=Describe("iam", "ListRoles", at="Roles[]"),
    key="RoleName",
    describe=_role,
    id="{RoleId}",
    resource_name="{RoleName}",
    arn="{Arn}",
    created="{CreateDate}",
    is_global=True,
    keeps=(
        "AssumeRolePolicyDocument",
        "InstanceProfileList.Roles.AssumeRolePolicyDocument",
        "RolePolicyList.PolicyDocument",
        "Tags",
    ),
    relations=(IN_POLICY,),
    touched_by=asked(
        "roleName",
        "AddRoleToInstanceProfile",
        "AttachRolePolicy",
        "CreateRole",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "RemoveRoleFromInstanceProfile",
        "TagRole",
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    )
    | at(f"{RESPONSE}.role.roleName", "CreateServiceLinkedRole")
    | anywhere("DeleteInstanceProfile", "DeletePolicy", "DeleteServiceLinkedRole"),
)


def _policy(look: Look) -> Any:
    policy = look.ask(_iam("GetPolicy", "Policy", PolicyArn="{key}"))
    if policy is None:
        return None
    entities = _iam("ListEntitiesForPolicy", "", PolicyArn="{key}")
    return {**policy, **(look.ask(entities) or {}), "PolicyVersionList": _versions(look)}


def _versions(look: Look) -> Found:
    listed = look.ask(_iam("ListPolicyVersions", "Versions[]", PolicyArn="{key}")) or ()
    asked_for = (
        look.ask(_iam("GetPolicyVersion", "PolicyVersion", PolicyArn="{key}", VersionId=each["VersionId"]))
        for each in listed
    )
    return [{**version, "Document": encoded(version["Document"])} for version in asked_for if version is not None]


def encoded(document: str) -> str:
    """A policy document as IAM answers it, URL-encoded, whichever way the estate did."""
    return quote(document, safe="") if document.lstrip().startswith("{") else document


POLICY = ResourceType(
    name="AWS::IAM::Policy",
    listing=Describe("iam", "ListPolicies", {"Scope": "Local"}, "Policies[]"),
    key="Arn",
    describe=_policy,
    id="{PolicyId}",
    resource_name="{PolicyName}",
    arn="{Arn}",
    created="{CreateDate}",
    is_global=True,
    keeps=("PolicyVersionList.Document", "Tags"),
    relations=(
        Relation("AWS::IAM::User", "Is attached to User", at="PolicyUsers[]", id="UserId", resource_name="UserName"),
        Relation(
            "AWS::IAM::Group", "Is attached to Group", at="PolicyGroups[]", id="GroupId", resource_name="GroupName"
        ),
        Relation("AWS::IAM::Role", "Is attached to Role", at="PolicyRoles[]", id="RoleId", resource_name="RoleName"),
    ),
    touched_by=asked(
        "policyArn",
        "AttachGroupPolicy",
        "AttachRolePolicy",
        "AttachUserPolicy",
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "DetachGroupPolicy",
        "DetachRolePolicy",
        "DetachUserPolicy",
        "SetDefaultPolicyVersion",
        "TagPolicy",
        "UntagPolicy",
    )
    | asked(
        "permissionsBoundary", "CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"
    )
    | at(f"{RESPONSE}.policy.arn", "CreatePolicy")
    | anywhere("DeleteGroup", "DeleteRole", "DeleteUser", "UpdateGroup", "UpdateUser"),
    read_key=_own_policy_key,
)

RESOURCES = (USER, GROUP, ROLE, POLICY)
