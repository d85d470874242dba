"""RegisterOrganizationDelegatedAdmin and DeregisterOrganizationDelegatedAdmin.

Follows the CloudTrail user guide, "Organization delegated administrator": the management account names up to three
members; Organizations remembers them, and the trails stay the management account's.
"""

from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.operation import operation
from trailstate.trail.organization import Organization, Organizations
from trailstate.trail.trails import SERVICE
from trailstate.wire.call import Call

ADMINISTRATORS_MAX = 3


@operation("cloudtrail")
def register_organization_delegated_admin(
    call: Call, organizations: Organizations, *, MemberAccountId: str
) -> dict[str, Any]:
    """The member may manage the organization's trails from now on."""
    organization = _managed(call, organizations)
    if MemberAccountId == organization.management_account:
        raise fault.CannotDelegateManagementAccountException(
            f"The management account {MemberAccountId} cannot be its own delegated administrator."
        )
    _check_member(organizations, organization, MemberAccountId)
    if MemberAccountId in organization.administrators:
        raise fault.AccountRegisteredException(f"The account {MemberAccountId} is already a delegated administrator.")
    if len(organization.administrators) >= ADMINISTRATORS_MAX:
        raise fault.DelegatedAdminAccountLimitExceededException(
            f"An organization has at most {ADMINISTRATORS_MAX} delegated administrators for CloudTrail."
        )
    _act(call, organizations, "RegisterDelegatedAdministrator", MemberAccountId)
    return {}


@operation("cloudtrail")
def deregister_organization_delegated_admin(
    call: Call, organizations: Organizations, *, DelegatedAdminAccountId: str
) -> dict[str, Any]:
    """The member manages nothing but its own any more; trails that it made stay."""
    organization = _managed(call, organizations)
    _check_member(organizations, organization, DelegatedAdminAccountId)
    if DelegatedAdminAccountId not in organization.administrators:
        raise fault.AccountNotRegisteredException(
            f"The account {DelegatedAdminAccountId} is not a delegated administrator for CloudTrail."
        )
    _act(call, organizations, "DeregisterDelegatedAdministrator", DelegatedAdminAccountId)
    return {}


def _managed(call: Call, organizations: Organizations) -> Organization:
    """The organization whose management account is calling."""
    found = organizations.of(call.account)
    if found is None:
        raise fault.OrganizationsNotInUseException(f"The account {call.account} is not a member of an organization.")
    if found.management_account != call.account:
        raise fault.NotOrganizationManagementAccountException(
            f"The management account of {found.id} is {found.management_account}, not {call.account}."
        )
    if not found.has_all_features:
        raise fault.OrganizationNotInAllFeaturesModeException(f"{found.id} does not have all features enabled.")
    if not found.trusts_service:
        raise fault.CloudTrailAccessNotEnabledException(
            f"Trusted access is not enabled between {found.id} and {SERVICE}."
        )
    return found


def _check_member(organizations: Organizations, organization: Organization, account: str) -> None:
    if account not in organizations.members(organization.management_account):
        raise fault.AccountNotFoundException(f"The account {account} is not a member of {organization.id}.")


def _act(call: Call, organizations: Organizations, operation_name: str, account: str) -> None:
    organizations.act(call.account, operation_name, {"AccountId": account, "ServicePrincipal": SERVICE})
