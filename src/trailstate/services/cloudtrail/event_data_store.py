"""The event data store that every account has in each Region, as CloudTrail Lake's API shows it (CloudTrail API
reference). It is always there, holds what is recorded and imported, and keeps it; none can be created yet."""

from datetime import UTC, datetime
from typing import Any

from trailstate.services.operation import operation
from trailstate.trail.channel import STORE_ID, event_data_store_arn
from trailstate.trail.organization import Organizations
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("cloudtrail")

NAME = "trailstate"
RETENTION_DAYS = 3653
"""The longest that AWS offers; nothing is deleted here when it is over."""
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
SELECTORS = [
    {
        "Name": f"{category} events",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}],
    }
    for category in ("Management", "Data", "ActivityAuditLog")
]


@operation("cloudtrail")
def list_event_data_stores(
    call: Call, *, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    """The one that there is, so never a second page."""
    if NextToken is not None:
        raise fault.InvalidNextTokenException("There is one event data store, and no page after the first.")
    named = {"EventDataStoreArn": event_data_store_arn(call.account, call.region), "Name": NAME}
    return {"EventDataStores": [named]}


@operation("cloudtrail")
def get_event_data_store(call: Call, organizations: Organizations, *, EventDataStore: str) -> dict[str, Any]:
    """Its settings. A management account's, or a delegated administrator's, answers for the whole organization."""
    arn = event_data_store_arn(call.account, call.region)
    if EventDataStore not in (arn, STORE_ID):
        raise fault.EventDataStoreNotFoundException(
            f"There is no event data store {EventDataStore}; every account has one in each Region: {arn}."
        )
    return {
        "EventDataStoreArn": arn,
        "Name": NAME,
        "Status": "ENABLED",
        "AdvancedEventSelectors": SELECTORS,
        "MultiRegionEnabled": True,
        "OrganizationEnabled": bool(set(organizations.members(call.account)) - {call.account}),
        "RetentionPeriod": RETENTION_DAYS,
        "TerminationProtectionEnabled": True,
        "CreatedTimestamp": ALWAYS,
        "UpdatedTimestamp": ALWAYS,
        "BillingMode": "EXTENDABLE_RETENTION_PRICING",
        "FederationStatus": "DISABLED",
    }
