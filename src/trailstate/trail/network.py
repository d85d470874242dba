"""The network activity event of a call that came through a VPC endpoint: a record beside the call's own. Pure.

Follows the CloudTrail user guide, "Logging network activity events" and the examples printed there: who called what
through which endpoint, but neither parameters nor answer. The account that owns the endpoint is taken to be the
caller's: nothing else is known of it here.
"""

from collections.abc import Mapping
from typing import Any

from trailstate.trail.category import classify, region_of
from trailstate.trail.identity import seconds, user_identity
from trailstate.trail.record import EVENT_VERSION, derived_id, vpc_endpoint
from trailstate.trail.selectors import NETWORK
from trailstate.wire.call import Call

EVENT_TYPE = "AwsVpceEvent"


def network_event(call: Call) -> Mapping[str, Any] | None:
    """The event, JSON-ready; None when the call did not come through an endpoint."""
    endpoint = vpc_endpoint(call.host)
    if endpoint is None:
        return None
    kind = classify(call.service, call.operation)
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(call.principal),
        "eventTime": seconds(call.now),
        "eventSource": kind.event_source,
        "eventName": kind.event_name,
        "awsRegion": region_of(kind, call.host, call.region),
        "sourceIPAddress": call.source_address,
        "requestID": call.request_id,
        "eventID": derived_id("network", call.event_id),
        "eventType": EVENT_TYPE,
        "recipientAccountId": call.account,
        "sharedEventID": derived_id("shared network", call.event_id),
        "vpcEndpointId": endpoint,
        "vpcEndpointAccountId": call.account,
        "eventCategory": NETWORK,
    }
