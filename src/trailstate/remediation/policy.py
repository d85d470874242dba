"""Where functions and automations may change something: everywhere in the lab, elsewhere only where it is allowed.

Against an endpoint that is not the lab's own, nothing but read-only calls leaves for an account that the setting
`remediation_allowed_accounts` does not name. The refusal is the call's recorded outcome.
"""

from collections.abc import Callable
from dataclasses import dataclass

from trailstate.settings import EMBEDDED, Settings
from trailstate.trail.category import classify
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault
from trailstate.wire.spelling import access_denied

REPAIRING = frozenset({"ssm.amazonaws.com", "lambda.amazonaws.com", "remediation.config.amazonaws.com"})
"""The services in whose name functions and automations call."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What work of the house may leave it."""

    settings: Settings
    is_ours: Callable[[str | None], bool]
    """Whether an access key was taken for a function or an automation."""

    def refusal(self, call: Call) -> Fault | None:
        """Why this call must not reach the estate; None if it may."""
        if self.settings.estate == EMBEDDED or call.account in self.settings.remediation_allowed_accounts:
            return None
        if call.principal.invoked_by not in REPAIRING and not self.is_ours(call.principal.access_key_id):
            return None
        if classify(call.service, call.operation).read_only:
            return None
        message = (
            f"{call.service}:{call.operation} was not sent: it would change account {call.account}, which the setting "
            "remediation_allowed_accounts does not name."
        )
        return access_denied(call.service, call.protocol, message)
