"""How close our records come to AWS's: recorded events turned round, and maximal calls against recorded key paths.

    python bench/fidelity.py --records DIR_OR_FILE... --shapes FILE

Each recorded event's API request is rebuilt from its `requestParameters`, sent through the codec and recorded by us
(`bench.roundtrip`), and compared key path by key path; likewise the response. Recall over `--shapes` asks whether a
call with every member shows every path ever recorded of that operation. Paths are counted once per operation.
Written-by-hand fixtures are left out. Without arguments: what TRAILSTATE_SAMPLES names.
"""

import argparse
import gzip
import itertools
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench import holdout, rebuild, roundtrip
from trailstate.trail.category import classify
from trailstate.wire import model

CLASSES = {"real", "real-masked", "doc-example"}
SUFFIX = re.compile(r"(20\d{6}(v\d)?|20\d\d_\d\d_\d\d)$")
UNION_MEMBERS_MAX = 8
Pair = tuple[str, str]
"""A service and an operation, as botocore calls them."""

SIDES = ("requestParameters", "responseElements")


def recorded_events(places: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Every recorded API call below the places: CloudTrail log files, or JSON lines with `class` and `record`."""
    for place in map(Path, places):
        for file in sorted(place.rglob("*.json*")) if place.is_dir() else [place]:
            if file.name != "manifest.json":
                yield from _events_of(file)


def _events_of(file: Path) -> Iterator[dict[str, Any]]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
    documents = (
        [json.loads(line) for line in text.splitlines() if line.strip()] if "jsonl" in file.name else [json.loads(text)]
    )
    for document in documents:
        for each in document.get("Records", [document]):
            if each.get("class", "real") in CLASSES:
                event = each.get("record", each)
                if (
                    event.get("eventType", "AwsApiCall") == "AwsApiCall"
                    and "eventSource" in event
                    and "eventName" in event
                ):
                    yield event


@cache
def services_of(source: str) -> tuple[str, ...]:
    """botocore's services that record under an event source."""
    return tuple(name for name in all_services() if classify(name, "-").event_source == source)


@cache
def all_services() -> tuple[str, ...]:
    return tuple(botocore.session.Session().get_available_services())


@cache
def operations_of(source: str, name: str) -> tuple[tuple[str, str], ...]:
    """The (service, operation) pairs an event may come from."""
    found = []
    for service in services_of(source):
        known = model.service_model(service).operation_names
        bare = [each for each in (name, SUFFIX.sub("", name)) if each in known]
        named = [each for each in known if service == "s3" and classify(service, each).event_name == name]
        found += [(service, each) for each in dict.fromkeys(named or bare)]
    lasting = [pair for pair in found if not model.operation_model(*pair).deprecated]
    return tuple(lasting or found)


def chosen(source: str, name: str, keys: Iterable[str]) -> tuple[str, str] | None:
    """The operation whose members explain most of the keys; the better known service wins a tie."""
    wanted = {key.lower() for key in keys}
    best: tuple[int, str, str] | None = None
    for service, operation in operations_of(source, name):
        shape = model.operation_model(service, operation).input_shape
        have = {m.lower() for m in shape.members} if shape is not None else set()
        rank = 2 * len(wanted & have) + (service == source.partition(".")[0])
        if best is None or rank > best[0]:
            best = (rank, service, operation)
    return None if best is None else best[1:]


def group_of(service: str) -> str:
    if service in ("ec2", "s3"):
        return service
    protocol = str(model.service_model(service).metadata["protocol"])
    return {"smithy-rpc-v2-cbor": "json", "rest-xml": "other rest-xml"}.get(protocol, protocol)


def wire_code(service: str, recorded: str) -> str:
    """The code on the wire behind a recorded one."""
    if service == "ec2":
        return recorded.removeprefix("Client.").removeprefix("Server.")
    protocol = group_of(service)
    if recorded == "AccessDenied":
        return "AccessDenied" if protocol in ("query", "s3", "other rest-xml") else "AccessDeniedException"
    for shape in model.service_model(service).error_shapes:
        if shape.name == recorded:
            return str(shape.metadata.get("error", {}).get("code") or recorded)
    if protocol == "query":
        return {"ValidationException": "ValidationError", "ThrottlingException": "Throttling"}.get(recorded, recorded)
    return recorded


@dataclass(frozen=True)
class Turned:
    """A recorded event and the API call behind it."""

    event: dict[str, Any]
    pair: Pair
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    failure: tuple[str, str] | None
    """The code on the wire, and the message."""


def turned(event: dict[str, Any], pair: Pair) -> Turned:
    """The call an event tells of."""
    service, operation = pair
    asked, answered = event.get("requestParameters") or {}, event.get("responseElements") or {}
    parameters, result = rebuild.call(service, model.operation_model(service, operation), asked, answered)
    if "errorCode" not in event:
        return Turned(event, pair, parameters, result, None)
    failure = (wire_code(service, event["errorCode"]), event.get("errorMessage") or answered.get("message") or "")
    return Turned(event, pair, parameters, None, failure)


def maximal_paths(service: str, operation: str) -> dict[str, set[str]]:
    """Every path we write of a call with all members and an answer with all members, lists of one and two."""
    found: dict[str, set[str]] = {side: set() for side in SIDES}
    for asked, answered in maximal_calls(service, operation):
        ours = roundtrip.recorded(service, operation, asked, answered)
        for side in SIDES:
            found[side] |= set(rebuild.paths(ours[side] or {}))
    return found


def maximal_calls(service: str, operation: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of maximal parameters and results: one and two elements a list, each member of a union in turn."""
    known = model.operation_model(service, operation)
    shapes = (known.input_shape, known.output_shape)
    made: list[Any] = []
    for length, pick in itertools.product((1, 2), range(UNION_MEMBERS_MAX)):
        pair = tuple({} if shape is None else rebuild.maximal(shape, length, pick) for shape in shapes)
        if pair not in made:
            made.append(pair)
            yield pair


def explains(ours: set[str], path: str) -> bool:
    """Whether a recorded path is one of ours; a map's `{key}` stands for any key."""
    if path in ours:
        return True
    patterns = (p for p in ours if rebuild.KEY in p)
    return any(re.fullmatch(re.escape(p).replace(re.escape(rebuild.KEY), ".+?"), path) for p in patterns)


class Tally:
    """Counts per protocol group."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.missing: list[str] = []
        self.surplus: list[str] = []
        self.disagreed: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()


def turned_round(events: Iterable[dict[str, Any]], tally: Tally) -> list[Turned]:
    """The events with a call of botocore's behind them, one of each shape."""
    found: list[Turned] = []
    seen: set[str] = set()
    for event in events:
        key = json.dumps([event["eventSource"], event["eventName"], event.get("errorCode"), sorted(paths_of(event))])
        if key in seen:
            continue
        seen.add(key)
        source, name = event["eventSource"], event["eventName"].strip()
        pair = chosen(source, name, event.get("requestParameters") or {})
        if pair is None:
            tally.unknown[f"{source}/{name}"] += 1
        else:
            found.append(turned(event | {"eventName": name}, pair))
    return found


def measure_events(events: Iterable[Turned], tally: Tally) -> None:
    theirs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    ours: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for each in events:
        made = recorded(each, tally)
        agreement(each.event, made, each.pair, tally)
        for side in SIDES:
            theirs[(*each.pair, side)] |= set(rebuild.paths(each.event.get(side) or {}))
            ours[(*each.pair, side)] |= set(rebuild.paths(made.get(side) or {}))
    for key, want in theirs.items():
        count_paths(key, want, ours[key], tally)


def recorded(each: Turned, tally: Tally) -> dict[str, Any]:
    """Our record; of what does not come through the codec, the record has no trace."""
    for parameters, result in ((each.parameters, each.result), (each.parameters, None), ({}, None)):
        try:
            return roundtrip.recorded(*each.pair, parameters, result, each.failure)
        except roundtrip.STUCK as error:
            stuck = f"{type(error).__name__}: {str(error)[:100]}"
            tally.disagreed[f"{'.'.join(each.pair)} is stuck in the codec: {stuck}"] += 1
    return {}


def paths_of(event: dict[str, Any]) -> list[str]:
    return [f"{side}:{path}" for side in SIDES for path in rebuild.paths(event.get(side) or {})]


def count_paths(key: tuple[str, str, str], want: set[str], have: set[str], tally: Tally) -> None:
    service, operation, side = key
    counts = tally.counts[group_of(service)]
    counts["recorded"] += len(want)
    counts["matched"] += len(want & have)
    counts["ours"] += len(have)
    tally.missing += [f"{service}.{operation} {side} {path}" for path in sorted(want - have)]
    tally.surplus += [f"{service}.{operation} {side} {path}" for path in sorted(have - want)]


def agreement(event: dict[str, Any], made: dict[str, Any], pair: tuple[str, str], tally: Tally) -> None:
    counts = tally.counts[group_of(pair[0])]
    for name in ("readOnly", "eventName", "errorCode", "managementEvent"):
        if name in event:
            counts[f"{name} asked"] += 1
            counts[f"{name} equal"] += made.get(name) == event[name]
            if made.get(name) != event[name]:
                tally.disagreed[
                    f"{event['eventSource']}/{event['eventName']} {name} {event[name]} {made.get(name)}"
                ] += 1


def recorded_shapes(file: str) -> list[tuple[Pair, dict[str, set[str]]]]:
    """The operations of a file of shapes, with the paths recorded of each."""
    found = []
    for key, facts in json.loads(Path(file).read_text())["shapes"].items():
        source, _, name = key.partition("/")
        asked = {path.partition(".")[0] for path in facts["requestParameters"]["paths"]}
        pair = chosen(source, name.strip(), asked)
        if pair is not None:
            found.append((pair, {side: set(facts[side]["paths"]) for side in SIDES}))
    return found


def measure_shapes(shapes: Iterable[tuple[Pair, dict[str, set[str]]]], tally: Tally) -> None:
    for pair, wanted in shapes:
        ours = maximal_paths(*pair)
        for side, want in wanted.items():
            explained = {path for path in want if explains(ours[side], path)}
            counts = tally.counts[group_of(pair[0])]
            counts["shape recorded"] += len(want)
            counts["shape matched"] += len(explained)
            tally.missing += [f"SHAPE {pair[0]}.{pair[1]} {side} {path}" for path in sorted(want - explained)]


def report(tally: Tally, verbose: bool) -> dict[str, Any]:
    def share(counts: Counter[str], part: str, whole: str) -> float | None:
        return round(counts[part] / counts[whole], 4) if counts[whole] else None

    result: dict[str, Any] = {}
    for group, counts in sorted(tally.counts.items()):
        result[group] = {
            "recall": share(counts, "matched", "recorded"),
            "precision": share(counts, "matched", "ours"),
            "shape_recall": share(counts, "shape matched", "shape recorded"),
            "paths": counts["recorded"],
            "shape_paths": counts["shape recorded"],
            **{
                n: share(counts, f"{n} equal", f"{n} asked")
                for n in ("readOnly", "eventName", "errorCode", "managementEvent")
            },
        }
    columns = list(next(iter(result.values())))
    print(f"{'group':15}" + "".join(f"{column:>16}" for column in columns))
    for group, row in result.items():
        print(f"{group:15}" + "".join(f"{'-' if row[c] is None else row[c]:>16}" for c in columns))
    print(f"\nprivate, console-only or service events that botocore does not know: {len(tally.unknown)} names")
    for line, count in sorted(tally.disagreed.items()):
        print("differs:", line, count)
    if verbose:
        for title, lines in (("missing", tally.missing), ("surplus", tally.surplus)):
            for line in lines:
                print(f"{title}: {line}")
        print("unknown:", ", ".join(sorted(tally.unknown)))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    samples = os.environ.get("TRAILSTATE_SAMPLES", "")
    parser.add_argument("--records", nargs="+", default=[samples] if samples else [])
    parser.add_argument("--shapes", default=shapes_beside(samples) if samples else None)
    parser.add_argument("--verbose", action="store_true", help="list every path that differs")
    parser.add_argument(
        "--hold-out", type=int, metavar="SEED", help="forget what half of the operations taught, and measure that half"
    )
    arguments = parser.parse_args()
    if not arguments.records and not arguments.shapes:
        sys.exit("give --records, --shapes or both, or set TRAILSTATE_SAMPLES; nothing recorded ships with the project")
    tally = Tally()
    events = turned_round(recorded_events(arguments.records), tally)
    shapes = recorded_shapes(arguments.shapes) if arguments.shapes else []
    if arguments.hold_out is not None:
        held, kept = holdout.halved([each.pair for each in events] + [pair for pair, _ in shapes], arguments.hold_out)
        events = [each for each in events if each.pair in held]
        shapes = [(pair, wanted) for pair, wanted in shapes if pair in held]
        rows = holdout.forget(held, kept)
        print(f"held out: {len(held)} operations of {len(held | kept)}; forgotten with them: {rows} rows of the tables")
    measure_events(events, tally)
    measure_shapes(shapes, tally)
    print(json.dumps(report(tally, arguments.verbose)))


def shapes_beside(samples: str) -> str | None:
    """`api-shapes.json` in a directory of samples or above it."""
    places = [Path(samples).resolve(), *Path(samples).resolve().parents]
    return next((str(place / "api-shapes.json") for place in places if (place / "api-shapes.json").is_file()), None)


if __name__ == "__main__":
    main()
