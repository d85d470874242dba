"""The operator's pages of compliance: a pack's report, and rules tried without being put."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from trailstate.compliance.configured import RULE_KIND, STATUS_KIND, ConfiguredRule
from trailstate.compliance.definition import InvalidRule, hold
from trailstate.compliance.pack import PACK_KIND, hold_rules
from trailstate.compliance.recorded import RecordedInventories
from trailstate.compliance.report.content import Reported, content
from trailstate.compliance.results import Results
from trailstate.compliance.template import BadTemplate, read_template
from trailstate.compliance.trial import try_rule, try_template
from trailstate.gateway.operator import Operator, Page, PageError, json_response, read_object
from trailstate.stores.interface import ShelfKey, Store
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.world import World

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


class CompliancePages:
    """Answers in plain JSON what the stock API has no operation for."""

    def __init__(self, store: Store, world: World, results: Results, inventories: RecordedInventories) -> None:
        self._store = store
        self._world = world
        self._results = results
        self._inventories = inventories

    def pages(self) -> dict[str, Page]:
        return {
            "/_trailstate/compliance/report": _page(self.report),
            "/_trailstate/compliance/try-pack": _page(self.try_pack),
            "/_trailstate/compliance/try-rule": _page(self.try_rule),
        }

    def report(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The report of a deployed pack."""
        account, region, name = _place(asked, "pack")
        found = self._store.get(ShelfKey(account, region, PACK_KIND, name))
        if found is None:
            raise PageError(404, f"there is no conformance pack '{name}' in {account} {region}")
        rules = [self._reported(account, region, each) for each in found.value["rules"]]
        reported = [each for each in rules if each is not None]
        return content(name, account, region, self._world.now(), reported)

    def _reported(self, account: str, region: str, told: Mapping[str, Any]) -> Reported | None:
        key = ShelfKey(account, region, RULE_KIND, told["name"])
        found = self._store.get(key)
        if found is None:
            return None
        status = self._store.get(ShelfKey(account, region, STATUS_KIND, told["name"]))
        error = status.value.get("LastErrorMessage", "") if status else ""
        results = self._results.of_rule(account, region, told["name"])
        return Reported(told["label"], ConfiguredRule.of(key, found.value), results, told["controls"], error)

    def try_pack(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A template judged over what is recorded now."""
        account, region, text = _place(asked, "template")
        try:
            template = read_template(text, asked.get("parameters") or {})
            hold_rules(template)
        except BadTemplate as error:
            raise PageError(400, str(error)) from None
        now = self._world.now()
        reported = try_template(template, self._inventories.of(account, region, now))
        return content(str(asked.get("title") or "template"), account, region, now, reported)

    def try_rule(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """One managed rule judged over what is recorded now."""
        account, region, identifier = _place(asked, "identifier")
        rule = {
            "ConfigRuleName": identifier.lower().replace("_", "-"),
            "Source": {"Owner": "AWS", "SourceIdentifier": identifier},
            "InputParameters": msgspec.json.encode(asked.get("parameters") or {}).decode(),
        }
        try:
            hold(rule, in_pack=True)
        except InvalidRule as error:
            raise PageError(400, str(error)) from None
        now = self._world.now()
        reported = try_rule(rule, self._inventories.of(account, region, now), asked.get("resource"))
        return content(identifier, account, region, now, [reported])


def _page(answer: Answer) -> Page:
    def page(_: Operator, request: WireRequest) -> WireResponse:
        return json_response(200, answer(read_object(request.body)))

    return Page(("POST",), page)


def _place(asked: Mapping[str, Any], wanted: str) -> tuple[str, str, str]:
    """Account, Region, and what the page is about; all of them texts."""
    found = tuple(asked.get(name) for name in ("account", "region", wanted))
    if not all(isinstance(each, str) and each for each in found):
        raise PageError(400, f"expected the texts 'account', 'region' and '{wanted}'")
    account, region, about = map(str, found)
    return account, region, about
