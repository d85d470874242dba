"""What is there: asks the estate, through the front door as AWS Config, what a resource type's calls show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trailstate.configuration.disclose import disclosed
from trailstate.configuration.form import Describe, Raw, ResourceType, Seen, Source
from trailstate.configuration.project import plain
from trailstate.values.path import fill, first, pick
from trailstate.wire.call import Door, Principal, service_principal
from trailstate.wire.fault import Fault
from trailstate.wire.paging import EndlessPages, pages
from trailstate.wire.spelling import is_not_supported

CONFIG = "config.amazonaws.com"
"""The service in whose name the house describes resources."""


def config_principal(account: str) -> Principal:
    """AWS Config, at work in an account."""
    return service_principal(CONFIG, account)


class DiscoveryFailed(Exception):
    """The estate did not say what there is; what was known stays known."""

    def __init__(self, asked: Describe, code: str, message: str) -> None:
        super().__init__(f"{asked.service} {asked.operation} failed with {code}: {message}")
        self.code = code
        self.message = str(self)


class NotServed(Exception):
    """The estate has no such operation, so nothing can be said of the type."""

    def __init__(self, asked: Describe) -> None:
        super().__init__(f"the estate does not answer {asked.service} {asked.operation}")
        self.operation = f"{asked.service}:{asked.operation}"


@dataclass(frozen=True, slots=True)
class Looking:
    """One look at one resource, or at a list (`form.Look`)."""

    door: Door
    account: str
    region: str
    key: str = ""
    raw: Raw = field(default_factory=dict)

    def ask(self, source: Describe) -> Any:
        """See `form.Look`; raises DiscoveryFailed and NotServed."""
        parameters = fill(source.parameters, self.value_of)
        try:
            if "[]" not in source.at:
                return first(self._call(source, parameters), source.at)
            return [
                found
                for page in pages(source.service, source.operation, parameters, lambda asked: self._call(source, asked))
                for found in pick(page, source.at)
            ]
        except Fault as fault:
            return _nothing_or_failure(source, fault)
        except EndlessPages as endless:
            raise DiscoveryFailed(source, "EndlessPages", str(endless)) from endless

    def _call(self, source: Describe, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        principal = config_principal(self.account)
        answer = self.door.call(
            source.service, source.operation, parameters, account=self.account, region=self.region, as_=principal
        )
        return disclosed(source.service, source.operation, answer)

    def value_of(self, path: str) -> Any:
        """What a placeholder of a template stands for."""
        own = {"key": self.key, "account": self.account, "region": self.region}
        return own[path] if path in own else first(self.raw, path)


def _nothing_or_failure(source: Describe, fault: Fault) -> None:
    if fault.code in source.absent:
        return
    if is_not_supported(fault):
        raise NotServed(source) from fault
    raise DiscoveryFailed(source, fault.code, fault.message) from fault


class Discovery:
    """Sees resources. Safe from any thread."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def one(self, declared: ResourceType, key: str, account: str, region: str) -> Seen | None:
        """The resource of that key as it is now; None when it is not there, or at home in another region."""
        look = Looking(self._door, account, region, key)
        if declared.describe is None:
            raw = next((raw for found, raw in self._listed(declared, look) if found == key), None)
        else:
            raw = _as_raw(_single(_answer(declared.describe, look)))
        return None if raw is None else self._completed(declared, key, raw, look)

    def every(self, declared: ResourceType, account: str, region: str) -> Iterator[Seen]:
        """Every resource of the type that is at home in the region, one at a time."""
        look = Looking(self._door, account, region)
        for key, listed in list(self._listed(declared, look)):
            raw: Raw | None = listed
            if declared.describe is not None and not declared.listed_whole:
                answer = _single(_answer(declared.describe, Looking(self._door, account, region, key, listed)))
                raw = None if answer is None else {**listed, **_as_raw(answer)}
            seen = None if raw is None else self._completed(declared, key, raw, look)
            if seen is not None:
                yield seen

    def _listed(self, declared: ResourceType, look: Looking) -> Iterator[tuple[str, Raw]]:
        for entry in _answer(declared.listing, look) or ():
            key = first(entry, declared.key)
            if key is not None:
                yield str(key), entry if isinstance(entry, Mapping) else {}

    def _completed(self, declared: ResourceType, key: str, raw: Raw, look: Looking) -> Seen | None:
        """With everything that further calls say of it."""
        for name, source in declared.more.items():
            raw = {**raw, name: _answer(source, Looking(self._door, look.account, look.region, key, raw))}
        whole = Looking(self._door, look.account, look.region, key, raw)
        if declared.home and fill(declared.home, whole.value_of) not in (None, look.region):
            return None
        parts = {part.name: part.source for part in declared.parts}
        facts = {fact.name: fact.source for fact in declared.facts}
        return Seen(
            key,
            look.account,
            look.region,
            raw,
            {name: answer for name, answer in _served(parts, whole).items() if answer is not None},
            {name: _fact(answer) for name, answer in _served(facts, whole).items()},
        )


def _answer(source: Source, look: Looking) -> Any:
    return look.ask(source) if isinstance(source, Describe) else source(look)


def _served(sources: Mapping[str, Source], look: Looking) -> dict[str, Any]:
    """The answers, but for calls that the estate does not have."""
    found = {}
    for name, source in sources.items():
        try:
            found[name] = _answer(source, look)
        except NotServed:
            continue
    return found


def _single(answer: Any) -> Any:
    """The resource where one was asked for by key and the answer is a list; None for an empty one."""
    return (answer[0] if answer else None) if isinstance(answer, list) else answer


def _as_raw(answer: Any) -> Any:
    return answer if answer is None or isinstance(answer, Mapping) else {"value": answer}


def _fact(answer: Any) -> Any:
    """Facts tell times as ISO 8601 text in whole seconds."""
    if isinstance(answer, datetime):
        return answer.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(answer, Mapping):
        return {name: _fact(each) for name, each in answer.items()}
    if isinstance(answer, list):
        return [_fact(each) for each in answer]
    return plain(answer)
