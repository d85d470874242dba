"""Rules over what IAM keeps for the account as a whole: the password policy, the root user, the organization."""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import account_fact, fact, listed, not_known
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    non_compliant,
    rule,
)
from trailstate.compliance.inventory import ACCOUNT_TYPE


@rule("IAM_PASSWORD_POLICY", ACCOUNT_TYPE)
def iam_password_policy(
    item: Item,
    inventory: Inventory,
    *,
    RequireUppercaseCharacters: bool = True,
    RequireLowercaseCharacters: bool = True,
    RequireSymbols: bool = True,
    RequireNumbers: bool = True,
    MinimumPasswordLength: int = 14,
    PasswordReusePrevention: int = 24,
    MaxPasswordAge: int = 90,
) -> Verdict:
    """The account's password policy asks at least for what the parameters ask for."""
    policy = fact(inventory, item, "PasswordPolicy")
    if policy is MISSING:
        return not_known("the account's password policy")
    if policy is None:
        return non_compliant("The account has no password policy.")
    signs = {
        "RequireUppercaseCharacters": RequireUppercaseCharacters,
        "RequireLowercaseCharacters": RequireLowercaseCharacters,
        "RequireSymbols": RequireSymbols,
        "RequireNumbers": RequireNumbers,
    }
    weak = [name for name, wanted in signs.items() if wanted and policy.get(name) is not True]
    weak += _short_of(
        policy, {"MinimumPasswordLength": MinimumPasswordLength, "PasswordReusePrevention": PasswordReusePrevention}
    )
    age = policy.get("MaxPasswordAge") or 0
    weak += ["MaxPasswordAge"] if not 0 < age <= MaxPasswordAge else []
    return non_compliant(f"The password policy is too weak in {listed(weak)}.") if weak else COMPLIANT


def _short_of(policy: Mapping[str, Any], least: Mapping[str, int]) -> list[str]:
    return [name for name, wanted in least.items() if (policy.get(name) or 0) < wanted]


def _summary(inventory: Inventory, name: str) -> Any:
    summary = account_fact(inventory, "AccountSummary")
    return MISSING if summary is MISSING else (summary or {}).get(name, MISSING)


@rule("IAM_ROOT_ACCESS_KEY_CHECK", ACCOUNT_TYPE)
def iam_root_access_key_check(_item: Item, inventory: Inventory) -> Verdict:
    """The root user has no access key."""
    present = _summary(inventory, "AccountAccessKeysPresent")
    if present is MISSING:
        return not_known("the root user's access keys")
    return non_compliant("The root user has an access key.") if present else COMPLIANT


@rule("ROOT_ACCOUNT_MFA_ENABLED", ACCOUNT_TYPE)
def root_account_mfa_enabled(_item: Item, inventory: Inventory) -> Verdict:
    """The root user signs in with a second factor."""
    enabled = _summary(inventory, "AccountMFAEnabled")
    if enabled is MISSING:
        return not_known("the root user's MFA")
    return COMPLIANT if enabled else non_compliant("The root user has no MFA.")


@rule("ROOT_ACCOUNT_HARDWARE_MFA_ENABLED", ACCOUNT_TYPE)
def root_account_hardware_mfa_enabled(item: Item, inventory: Inventory) -> Verdict:
    """The root user's second factor is a device of its own, not an application's."""
    enabled, virtual = _summary(inventory, "AccountMFAEnabled"), fact(inventory, item, "VirtualMFADevices")
    if enabled is MISSING or virtual is MISSING:
        return not_known("the root user's MFA")
    if not enabled:
        return non_compliant("The root user has no MFA.")
    root = f"arn:aws:iam::{inventory.account}:root"
    if any((one.get("User") or {}).get("Arn") == root for one in virtual or ()):
        return non_compliant("The root user's MFA device is a virtual one.")
    return COMPLIANT


@rule("ACCOUNT_PART_OF_ORGANIZATIONS", ACCOUNT_TYPE)
def account_part_of_organizations(item: Item, inventory: Inventory, *, MasterAccountId: str | None = None) -> Verdict:
    """The account is in an organization; in the one of the given management account if one is given."""
    organization = fact(inventory, item, "Organization")
    if organization is MISSING:
        return not_known("the account's organization")
    if organization is None:
        return non_compliant("The account is in no organization.")
    found = organization.get("MasterAccountId")
    if MasterAccountId and found != MasterAccountId:
        return non_compliant(f"The organization's management account is {found}; expected {MasterAccountId}.")
    return COMPLIANT
