"""What the journal says when the simulated account begins anew: from here on, earlier resources are gone.

Written as a service event (`AwsServiceEvent`), the form CloudTrail uses for what AWS does by itself.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html
"""

from typing import Any

from trailstate.world import World

EVENT_NAME = "SimulatedEstateRestarted"


def restarted(account: str, region: str, reason: str, world: World) -> dict[str, Any]:
    """The record for one account; it stands in the event history like any management event."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": account, "invokedBy": "trailstate"},
        "eventTime": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "trailstate",
        "eventName": EVENT_NAME,
        "awsRegion": region,
        "sourceIPAddress": "trailstate",
        "userAgent": "trailstate",
        "requestParameters": None,
        "responseElements": None,
        "eventID": world.uuid(),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": account,
        "serviceEventDetails": {"reason": reason},
        "eventCategory": "Management",
    }
