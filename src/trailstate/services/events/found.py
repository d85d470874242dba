"""How EventBridge's operations find buses and rules, and refuse in its words what is not there or not theirs."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.policy import Question, allows
from trailstate.watch.bus import DEFAULT, BusName, bus_of_arn, policy_of
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import validation_error
from trailstate.world import World

fault = faults("events")
Document = dict[str, Any]
PAGE = 100


def invalid(message: str) -> Fault:
    return validation_error("events", "json", message)


def bus_name(call: Call, given: str | None) -> BusName:
    """The bus that a name or an ARN means."""
    if given is None or not given.startswith("arn:"):
        return BusName(call.account, call.region, given or DEFAULT)
    named = bus_of_arn(given)
    if named is None:
        raise invalid(f"Parameter {given} is not valid. Reason: Provided Arn is not in correct format.")
    return named


def find_bus(call: Call, shelf: StagedShelf, given: str | None) -> tuple[BusName, Document]:
    """A bus of the caller's account; every account has its default bus. ResourceNotFoundException."""
    named = bus_name(call, given)
    held = shelf.get(named.key) if named.account == call.account and named.region == call.region else None
    if held is None and (named.name != DEFAULT or (named.account, named.region) != (call.account, call.region)):
        raise fault.ResourceNotFoundException(f"Event bus {named.name} does not exist.")
    return named, dict(held or {"Revision": "", "Statements": []})


def find_rule(call: Call, shelf: StagedShelf, name: str, bus: str | None) -> tuple[BusName, Document]:
    named, _ = find_bus(call, shelf, bus)
    rule = shelf.get(named.rule_key(name))
    if rule is None:
        raise fault.ResourceNotFoundException(f"Rule {name} does not exist on EventBus {named.name}.")
    return named, dict(rule)


def keep_rule(shelf: StagedShelf, world: World, bus: BusName, held: Document, name: str, rule: Document | None) -> None:
    """Put or remove a rule; the bus's new revision makes it known."""
    if rule is None:
        shelf.delete(bus.rule_key(name))
    else:
        shelf.put(bus.rule_key(name), rule)
    shelf.put(bus.key, {**held, "Revision": world.uuid()})


def may_put(call: Call, named: BusName, bus: Mapping[str, Any] | None, action: str) -> bool:
    """Whether a caller of another account may do that with the bus."""
    policy = None if bus is None else policy_of(bus)
    question = Question(f"events:{action}", named.arn, call.principal.invoked_by or "", call.principal.arn)
    return policy is not None and allows(policy, question)


def paged(
    tokens: PageTokens, call: Call, items: Sequence[Any], limit: int | None, token: str | None, *about: str | None
) -> tuple[list[Any], dict[str, str]]:
    question = [call.account, call.region, call.operation, *about]
    found, following = page(
        tokens,
        question,
        items,
        limit=limit or PAGE,
        token=token,
        refuse=lambda _: invalid("Parameter NextToken is not valid."),
    )
    return list(found), {} if following is None else {"NextToken": following}


def read_tags(given: Sequence[Mapping[str, str]], held: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags held with those given."""
    if any(each["Key"].lower().startswith("aws:") for each in given):
        raise invalid("Tag keys that begin with aws: are reserved.")
    tags = {**(held or {}), **{each["Key"]: each["Value"] for each in given}}
    if len(tags) > 50:
        raise fault.LimitExceededException("A resource has at most 50 tags.")
    return tags
