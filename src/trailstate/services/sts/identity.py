"""STS operations that only the front door can answer truthfully: who is calling."""

from typing import Any

from trailstate.services.operation import operation
from trailstate.wire.call import Call


@operation("sts")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """The account, id and ARN of the credentials in use: the same that the call's record shows."""
    principal = call.principal
    return {"UserId": principal.principal_id, "Account": principal.account, "Arn": principal.arn}
