"""Rules over what IAM policies say: administrators' statements, whole services, KMS actions."""

from collections.abc import Iterable

from trailstate.catalog.reading import listed, not_held
from trailstate.catalog.rules.iam import PRINCIPALS, inline_policies
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    non_compliant,
    rule,
)
from trailstate.values.statements import (
    Statement,
    grants_everything,
    matches,
    overlaps,
    statements,
    whole_services,
)

POLICY = "AWS::IAM::Policy"


def _default_version(item: Item) -> tuple[Statement, ...] | None:
    """What the policy says now; None when the item does not hold the text of its default version."""
    policy = item["configuration"]
    for version in policy.get("policyVersionList") or ():
        is_default = version.get("versionId") == policy.get("defaultVersionId") or version.get("isDefaultVersion")
        if is_default and version.get("document"):
            return statements(version["document"])
    return None


def _judged(item: Item, *, excludes_boundaries: bool | None) -> tuple[Statement, ...] | Verdict:
    """What is to be judged of the policy, or why nothing is."""
    if excludes_boundaries and _is_boundary_only(item):
        return NOT_APPLICABLE
    read = _default_version(item)
    return not_held("configuration.policyVersionList.document") if read is None else read


def _is_boundary_only(item: Item) -> bool:
    used = field_at(item, "configuration.permissionsBoundaryUsageCount")
    return used is not MISSING and used > 0 and not item["configuration"].get("attachmentCount")


@rule("IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", POLICY)
def iam_policy_no_statements_with_admin_access(
    item: Item, _inventory: Inventory, *, excludePermissionBoundaryPolicy: bool | None = None
) -> Verdict:
    """The policy does not allow every action on every resource."""
    read = _judged(item, excludes_boundaries=excludePermissionBoundaryPolicy)
    if isinstance(read, Verdict):
        return read
    if any(grants_everything(one) for one in read):
        return non_compliant("The policy allows every action on every resource.")
    return COMPLIANT


@rule("IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS", POLICY)
def iam_policy_no_statements_with_full_access(
    item: Item, _inventory: Inventory, *, excludePermissionBoundaryPolicy: bool | None = None
) -> Verdict:
    """The policy allows no service as a whole."""
    read = _judged(item, excludes_boundaries=excludePermissionBoundaryPolicy)
    if isinstance(read, Verdict):
        return read
    whole = [action for one in read for action in whole_services(one)]
    return non_compliant(f"The policy allows all of {listed(whole)}.") if whole else COMPLIANT


@rule("IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS", POLICY)
def iam_customer_policy_blocked_kms_actions(
    item: Item,
    _inventory: Inventory,
    *,
    blockedActionsPatterns: tuple[str, ...],
    excludePermissionBoundaryPolicy: bool | None = None,
) -> Verdict:
    """The policy allows none of the blocked actions on all KMS keys."""
    read = _judged(item, excludes_boundaries=excludePermissionBoundaryPolicy)
    if isinstance(read, Verdict):
        return read
    blocked = _blocked(read, blockedActionsPatterns)
    return non_compliant(f"The policy allows {listed(blocked)} on all KMS keys.") if blocked else COMPLIANT


@rule("IAM_INLINE_POLICY_BLOCKED_KMS_ACTIONS", PRINCIPALS)
def iam_inline_policy_blocked_kms_actions(
    item: Item,
    _inventory: Inventory,
    *,
    blockedActionsPatterns: tuple[str, ...],
    excludeRoleByManagementAccount: bool | None = None,
) -> Verdict:
    """No inline policy allows one of the blocked actions on all KMS keys."""
    if excludeRoleByManagementAccount and item["resourceName"] == "OrganizationAccountAccessRole":
        return NOT_APPLICABLE
    inline = inline_policies(item)
    if inline is MISSING:
        return not_held("configuration's list of inline policies")
    for policy in inline:
        blocked = _blocked(statements(policy.get("policyDocument")), blockedActionsPatterns)
        if blocked:
            return non_compliant(
                f"The inline policy '{policy['policyName']}' allows {listed(blocked)} on all KMS keys."
            )
    return COMPLIANT


def _blocked(read: Iterable[Statement], patterns: tuple[str, ...]) -> list[str]:
    allowing = [one for one in read if one.allows and _over_all_keys(one)]
    return [pattern for pattern in patterns if any(_allows(one, pattern) for one in allowing)]


def _allows(statement: Statement, pattern: str) -> bool:
    if statement.not_actions:
        return not any(matches(other, pattern) for other in statement.not_actions)
    return any(overlaps(action, pattern) for action in statement.actions)


def _over_all_keys(statement: Statement) -> bool:
    """The resource is everything, or every key of some account and Region."""
    return bool(statement.not_resources) or any(
        one == "*" or (one.startswith("arn:") and one.endswith((":key/*", ":alias/*", ":*")) and ":kms:" in one)
        for one in statement.resources
    )
