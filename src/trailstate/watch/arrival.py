"""What arrives at CloudWatch Logs and CloudWatch: kept once each, filtered into metrics, passed on to subscribers.

CloudWatch Logs user guide, "Creating metrics from log events using filters" and "Log group-level subscription filters".
A call that puts events or data commits them as a row of the outbox, together with its record; from there they go into
`watch.db`, where events, the metric data that filters make of them, and the row's own id are one transaction. So
nothing is lost or doubled, whenever the server stops.
"""

import base64
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.stores.kept import Kept
from trailstate.watch.filter import Message, number_of, pattern
from trailstate.watch.group import metric_filters, subscription_filters
from trailstate.watch.log import Arriving, LogEvents
from trailstate.watch.metric import NO_UNIT, Datum, MetricName, Metrics, single

LOGS = "watch-logs/"
METRICS = "watch-metrics/"
SUBSCRIPTIONS = "watch-subscription/"

MINUTE_MS = 60_000

_encode = msgspec.json.Encoder().encode


class Events(msgspec.Struct, array_like=True):
    """Events for one stream of a group that goes by `id`; none: the stream, or without one the group, is forgotten."""

    account: str
    region: str
    group: str
    id: str
    stream: str
    ingested: int
    events: Sequence[tuple[int, str]] = ()


class Data(msgspec.Struct, array_like=True):
    """Data for the metrics of one account and region."""

    account: str
    region: str
    series: Sequence[tuple[str, str, dict[str, str], list[Datum]]]
    """Namespace, name, dimensions, data."""


def logs_row(queue_of: Events, identity: str) -> OutboxRow:
    queue = logs_queue(queue_of.account, queue_of.region, queue_of.group)
    return OutboxRow(queue, f"{queue}/{identity}", _encode(queue_of))


def logs_queue(account: str, region: str, group: str) -> str:
    return f"{LOGS}{account}/{region}/{group}"


def metrics_row(data: Data, identity: str) -> OutboxRow:
    queue = metrics_queue(data.account, data.region)
    return OutboxRow(queue, f"{queue}/{identity}", _encode(data))


def metrics_queue(account: str, region: str) -> str:
    return f"{METRICS}{account}/{region}"


Series = tuple[MetricName, Sequence[Datum]]
Heard = Callable[[Iterable[Series]], None]


class LogArrival:
    """The shipper that keeps log events. `heard` is told which metrics got data."""

    prefix = LOGS

    def __init__(self, store: Store, kept: Kept, events: LogEvents, metrics: Metrics, heard: Heard) -> None:
        self._store = store
        self._kept = kept
        self._events = events
        self._metrics = metrics
        self._heard = heard
        self._decode = msgspec.json.Decoder(Events).decode

    def ship(self, row: OutboxRow) -> Commit:
        arrived = self._decode(row.body)
        messages = [(time, Message(text)) for time, text in arrived.events]
        series = list(self._measured(arrived, messages))
        if not self._events.is_kept(row.queue, row.id):
            self._keep(row, arrived, series)
        self._heard(series)
        return Commit(outbox=list(self._subscribed(row, arrived, messages)))

    def _keep(self, row: OutboxRow, arrived: Events, series: Iterable[Series]) -> None:
        with self._kept.transaction() as connection:
            if arrived.events:
                self._events.add(connection, arrived.id, arrived.stream, arrived.events, arrived.ingested)
            else:
                self._events.drop(connection, arrived.id, arrived.stream or None)
            for metric, data in series:
                self._metrics.add(connection, metric, data)
            self._events.note(connection, row.queue, row.id)

    def _measured(self, arrived: Events, messages: Sequence[tuple[int, Message]]) -> Iterator[Series]:
        kind = metric_filters(arrived.group)
        for _, document in self._store.documents(arrived.account, arrived.region, kind):
            for transformation in document.value["metricTransformations"]:
                yield from measured(
                    arrived.account, arrived.region, document.value["filterPattern"], transformation, messages
                )

    def _subscribed(
        self, row: OutboxRow, arrived: Events, messages: Sequence[tuple[int, Message]]
    ) -> Iterator[OutboxRow]:
        kind = subscription_filters(arrived.group)
        for _, document in self._store.documents(arrived.account, arrived.region, kind):
            value = document.value
            wanted = pattern(value["filterPattern"])
            chosen = [(at, message.text) for at, message in messages if wanted.matches(message)]
            if chosen:
                queue = f"{SUBSCRIPTIONS}{arrived.account}/{arrived.region}/{arrived.group}/{value['filterName']}"
                body = {
                    "destination": value["destinationArn"],
                    "account": arrived.account,
                    "region": arrived.region,
                    "group": arrived.group,
                    "data": subscription_data(arrived, value["filterName"], chosen),
                }
                yield OutboxRow(queue, f"{row.id}/{value['filterName']}", _encode(body))


def subscription_data(arrived: Events, name: str, chosen: Arriving) -> str:
    """What a subscriber is sent: base64 of gzipped JSON. The ids are those of the events' times and texts' places."""
    events = [
        {"id": f"{at:013d}{arrived.ingested:013d}{place:030d}", "timestamp": at, "message": text}
        for place, (at, text) in enumerate(chosen)
    ]
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": arrived.account,
        "logGroup": arrived.group,
        "logStream": arrived.stream,
        "subscriptionFilters": [name],
        "logEvents": events,
    }
    return base64.b64encode(gzip.compress(_encode(message), mtime=0)).decode()


def measured(
    account: str,
    region: str,
    text: str,
    transformation: Mapping[str, Any],
    messages: Sequence[tuple[int, Message]],
) -> Iterator[Series]:
    """The data that one filter makes of events. A minute with events of which none matches gets the default value."""
    wanted = pattern(text)
    found: dict[tuple[tuple[str, str], ...], list[Datum]] = {}
    quiet: dict[int, int] = {}
    loud: set[int] = set()
    for at, message in messages:
        if not wanted.matches(message):
            quiet.setdefault(at // MINUTE_MS, at)
            continue
        loud.add(at // MINUTE_MS)
        value = number_of(_value(wanted.value, message, transformation["metricValue"]))
        dimensions = _dimensions(wanted.value, message, transformation.get("dimensions") or {})
        if value is not None and dimensions is not None:
            unit = transformation.get("unit") or NO_UNIT
            found.setdefault(dimensions, []).append(single(at // 1000, value, unit=unit))
    default = transformation.get("defaultValue")
    if default is not None:
        calm = [single(at // 1000, float(default)) for minute, at in quiet.items() if minute not in loud]
        if calm:
            found.setdefault((), []).extend(calm)
    for dimensions, data in found.items():
        named = (transformation["metricNamespace"], transformation["metricName"])
        yield MetricName(account, region, *named, dimensions), data


Value = Callable[[Message, str], str | None]


def _value(value: Value, message: Message, text: str) -> str | None:
    return value(message, text) if text.startswith("$") else text


def _dimensions(value: Value, message: Message, wanted: Mapping[str, str]) -> tuple[tuple[str, str], ...] | None:
    """The event's dimensions; None when it lacks one, so that it gives no datum."""
    found = {name: _value(value, message, text) for name, text in wanted.items()}
    if any(not each for each in found.values()):
        return None
    return tuple(sorted((name, str(each)) for name, each in found.items()))


class MetricArrival:
    """The shipper that keeps metric data."""

    prefix = METRICS

    def __init__(self, kept: Kept, events: LogEvents, metrics: Metrics, heard: Heard) -> None:
        self._kept = kept
        self._events = events
        self._metrics = metrics
        self._heard = heard
        self._decode = msgspec.json.Decoder(Data).decode

    def ship(self, row: OutboxRow) -> Commit:
        arrived = self._decode(row.body)
        series = [
            (MetricName(arrived.account, arrived.region, space, name, tuple(sorted(dimensions.items()))), data)
            for space, name, dimensions, data in arrived.series
        ]
        if not self._events.is_kept(row.queue, row.id):
            with self._kept.transaction() as connection:
                for metric, data in series:
                    self._metrics.add(connection, metric, data)
                self._events.note(connection, row.queue, row.id)
        self._heard([each for each in series if each[1]])
        return Commit()
