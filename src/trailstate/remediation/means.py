"""What running a document needs of the house: the time, the actions, other executions, and hands to call with.

Every call of a step enters by the front door as the session of the execution's role, or on behalf of who started it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from trailstate.functions.role import Credentials, Roles, RoleSession
from trailstate.remediation.action import Action, Script, ScriptResult
from trailstate.remediation.document import Automation, automation
from trailstate.remediation.execution import EXECUTION, Execution, caller_of, is_over, waiting_row
from trailstate.stores.interface import OutboxRow, ShelfKey, Store
from trailstate.wire.call import Door, Principal
from trailstate.world import World

SERVICE = "ssm.amazonaws.com"


class Scripts(Protocol):
    """Runs a program for a step, under somebody's credentials."""

    def run(self, script: Script, credentials: Credentials, region: str) -> ScriptResult:
        """Raises StepFailed."""


@dataclass(frozen=True, slots=True)
class RoleHands:
    """What a step may do, as the one it acts for."""

    door: Door
    scripts: Scripts
    account: str
    region: str
    principal: Principal
    credentials: Credentials

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.door.call(
            service, operation, parameters, account=self.account, region=self.region, as_=self.principal
        )

    def run(self, script: Script) -> ScriptResult:
        return self.scripts.run(script, self.credentials, self.region)


@dataclass(frozen=True, slots=True)
class Means:
    """The house as executions see it."""

    store: Store
    world: World
    door: Door
    roles: Roles
    scripts: Scripts
    actions: Mapping[str, Action]

    @property
    def now(self) -> datetime:
        return self.world.now()

    def compiled(self, execution: Execution) -> Automation:
        return automation(execution["state"]["content"], self.actions)

    def action(self, name: str) -> Action:
        return self.actions[name]

    def new_id(self) -> str:
        return self.world.uuid()

    def ended(self, account: str, region: str) -> Callable[[str], Mapping[str, Any] | None]:
        def look(execution: str) -> Mapping[str, Any] | None:
            found = self.store.get(ShelfKey(account, region, EXECUTION, execution))
            return found.value if found is not None and is_over(found.value) else None

        return look

    def waiter(self, key: ShelfKey) -> OutboxRow | None:
        """The row that somebody left to be sent when this execution is over."""
        found = self.store.get(key)
        return None if found is None else waiting_row(found.value)

    def hands(self, key: ShelfKey, execution: Execution, role: str) -> RoleHands:
        """As the role's session; without a role, on behalf of whoever started the execution."""
        if role:
            session = self._session(key, execution, role)
            principal, credentials = session.principal, session.credentials
        else:
            principal = replace(caller_of(execution), invoked_by=SERVICE)
            credentials = Credentials(principal.access_key_id or key.account, "unused")
        return RoleHands(self.door, self.scripts, principal.account, key.region, principal, credentials)

    def _session(self, key: ShelfKey, execution: Execution, role: str) -> RoleSession:
        name = f"Automation-{execution['AutomationExecutionId']}"
        return self.roles.session(SERVICE, role, name, account=key.account, region=key.region)
