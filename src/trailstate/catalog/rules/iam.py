"""Rules over IAM users, groups and roles: credentials, second factors, membership, policies attached or inline.

A user's keys, devices and password are facts beside the item; genuine items do not hold them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trailstate.catalog.reading import days_since, fact, listed, not_held, not_known
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    non_compliant,
    rule,
)
from trailstate.compliance.inventory import ACCOUNT_TYPE
from trailstate.values.statements import statements

USER, GROUP, ROLE = "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role"
PRINCIPALS = (GROUP, ROLE, USER)
_INLINE = {USER: "userPolicyList", GROUP: "groupPolicyList", ROLE: "rolePolicyList"}


def inline_policies(item: Item) -> Any:
    """The inline policies of a user, group or role; MISSING when the item does not list them."""
    return field_at(item, f"configuration.{_INLINE[item['resourceType']]}")


def attached_policies(item: Item) -> Any:
    """The ARNs of the managed policies attached; MISSING when the item does not list them."""
    found = field_at(item, "configuration.attachedManagedPolicies")
    return MISSING if found is MISSING else tuple(one["policyArn"] for one in found)


@rule("IAM_USER_MFA_ENABLED", USER)
def iam_user_mfa_enabled(item: Item, inventory: Inventory) -> Verdict:
    """The user has a second factor."""
    devices = fact(inventory, item, "MFADevices")
    if devices is MISSING:
        return not_known("the user's MFA devices")
    return COMPLIANT if devices else non_compliant("The user has no MFA device.")


@rule("MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", USER)
def mfa_enabled_for_iam_console_access(item: Item, inventory: Inventory) -> Verdict:
    """Whoever signs in to the console with a password has a second factor. Users without a password are not judged."""
    password, devices = fact(inventory, item, "LoginProfile"), fact(inventory, item, "MFADevices")
    if password is MISSING or devices is MISSING:
        return not_known("the user's password and MFA devices")
    if password is None:
        return NOT_APPLICABLE
    return COMPLIANT if devices else non_compliant("The user has a console password and no MFA device.")


@rule("ACCESS_KEYS_ROTATED", USER)
def access_keys_rotated(item: Item, inventory: Inventory, *, maxAccessKeyAge: int) -> Verdict:
    """No active access key of the user is older than that many days."""
    keys = fact(inventory, item, "AccessKeys")
    if keys is MISSING:
        return not_known("the user's access keys")
    for key in _active(keys):
        age = days_since(inventory, key["CreateDate"])
        if age > maxAccessKeyAge:
            return non_compliant(f"The active key {key['AccessKeyId']} is {int(age)} days old, over {maxAccessKeyAge}.")
    return COMPLIANT


@rule("IAM_USER_UNUSED_CREDENTIALS_CHECK", USER)
def iam_user_unused_credentials_check(item: Item, inventory: Inventory, *, maxCredentialUsageAge: int) -> Verdict:
    """Password and active keys were used within that many days; one never used counts from its creation."""
    keys, password = fact(inventory, item, "AccessKeys"), fact(inventory, item, "LoginProfile")
    if keys is MISSING or password is MISSING:
        return not_known("the user's password and access keys")
    for what, moment in _last_uses(keys, password, fact(inventory, item, "PasswordLastUsed")):
        age = days_since(inventory, moment)
        if age > maxCredentialUsageAge:
            return non_compliant(f"{what} was last used or made {int(age)} days ago, over {maxCredentialUsageAge}.")
    return COMPLIANT


def _active(keys: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (key for key in keys if key["Status"] == "Active")


def _last_uses(keys: list[Mapping[str, Any]], password: Any, password_used: Any) -> Iterator[tuple[str, str]]:
    for key in _active(keys):
        yield f"The key {key['AccessKeyId']}", key.get("LastUsedDate") or key["CreateDate"]
    if password:
        yield "The password", password_used or password["CreateDate"]


@rule("IAM_USER_NO_POLICIES_CHECK", USER)
def iam_user_no_policies_check(item: Item, _inventory: Inventory) -> Verdict:
    """The user has its permissions from groups and roles alone."""
    inline, attached = inline_policies(item), attached_policies(item)
    if inline is MISSING or attached is MISSING:
        return not_held("configuration.userPolicyList")
    names = [one["policyName"] for one in inline] + [arn.rpartition("/")[2] for arn in attached]
    return non_compliant(f"The user has {listed(names)} directly.") if names else COMPLIANT


@rule("IAM_USER_GROUP_MEMBERSHIP_CHECK", USER)
def iam_user_group_membership_check(
    item: Item, _inventory: Inventory, *, groupNames: tuple[str, ...] | None = None
) -> Verdict:
    """The user is in a group; in one of those named if any are."""
    groups = field_at(item, "configuration.groupList")
    if groups is MISSING:
        return not_held("configuration.groupList")
    if not groups:
        return non_compliant("The user is in no group.")
    if groupNames and not set(groups) & set(groupNames):
        return non_compliant(f"The user is in none of {listed(groupNames)}.")
    return COMPLIANT


@rule("IAM_GROUP_HAS_USERS_CHECK", GROUP)
def iam_group_has_users_check(item: Item, _inventory: Inventory) -> Verdict:
    """Somebody is in the group, as its own item's relationships tell."""
    return COMPLIANT if _is_populated(item) else non_compliant("The group has no user.")


def _is_populated(group: Item) -> bool:
    return any(one["resourceType"] == USER for one in group["relationships"])


@rule("IAM_NO_INLINE_POLICY_CHECK", PRINCIPALS)
def iam_no_inline_policy_check(item: Item, _inventory: Inventory) -> Verdict:
    """The user, group or role has managed policies alone."""
    inline = inline_policies(item)
    if inline is MISSING:
        return not_held(f"configuration.{_INLINE[item['resourceType']]}")
    if inline:
        return non_compliant(f"The inline policy {listed(one['policyName'] for one in inline)} is embedded.")
    return COMPLIANT


@rule("IAM_POLICY_BLACKLISTED_CHECK", PRINCIPALS)
def iam_policy_blacklisted_check(
    item: Item, _inventory: Inventory, *, policyArns: tuple[str, ...], exceptionList: tuple[str, ...] | None = None
) -> Verdict:
    """None of the forbidden policies is attached. `exceptionList` excepts some by name: `users:[a;b], roles:[c]`."""
    if item["resourceName"] in _excepted(exceptionList or (), item["resourceType"]):
        return NOT_APPLICABLE
    attached = attached_policies(item)
    if attached is MISSING:
        return not_held("configuration.attachedManagedPolicies")
    found = sorted(set(attached) & set(policyArns))
    return non_compliant(f"The policy {listed(found)} is attached.") if found else COMPLIANT


def _excepted(exceptions: tuple[str, ...], resource_type: str) -> set[str]:
    wanted = {USER: "users", GROUP: "groups", ROLE: "roles"}[resource_type]
    named = (one.partition(":") for one in exceptions)
    return {name for kind, _, names in named if kind.strip() == wanted for name in names.strip("[] ").split(";")}


@rule("IAM_ROLE_MANAGED_POLICY_CHECK", ROLE)
def iam_role_managed_policy_check(item: Item, _inventory: Inventory, *, managedPolicyArns: tuple[str, ...]) -> Verdict:
    """All of the given managed policies are attached to the role."""
    attached = attached_policies(item)
    if attached is MISSING:
        return not_held("configuration.attachedManagedPolicies")
    lacking = [arn for arn in managedPolicyArns if arn not in attached]
    return non_compliant(f"The role lacks {listed(lacking)}.") if lacking else COMPLIANT


@rule("IAM_POLICY_IN_USE", ACCOUNT_TYPE)
def iam_policy_in_use(
    _item: Item, inventory: Inventory, *, policyARN: str, policyUsageType: str | None = None
) -> Verdict:
    """The policy is attached to a user, to a group that somebody is in, or to a role that somebody may assume.

    `policyUsageType` narrows that to IAM_USER, IAM_GROUP or IAM_ROLE.
    """
    usage = (policyUsageType or "ANY").upper()
    kinds = [kind for name, kind in _USAGES.items() if usage in ("ANY", name)]
    if not kinds:
        return insufficient_data(f"policyUsageType is '{policyUsageType}'; expected one of {listed(_USAGES)}, 'ANY'.")
    if any(_uses(one, policyARN) for kind in kinds for one in inventory.items(kind)):
        return COMPLIANT
    return non_compliant(f"The policy '{policyARN}' is attached to nobody who could use it.")


_USAGES = {"IAM_USER": USER, "IAM_GROUP": GROUP, "IAM_ROLE": ROLE}


def _uses(item: Item, policy: str) -> bool:
    attached = attached_policies(item)
    if attached is MISSING or policy not in attached:
        return False
    if item["resourceType"] == GROUP:
        return _is_populated(item)
    return item["resourceType"] == USER or _is_trusting(item)


def _is_trusting(role: Item) -> bool:
    trust = field_at(role, "configuration.assumeRolePolicyDocument")
    return trust is not MISSING and any(one.allows and (one.principals or one.everyone) for one in statements(trust))
