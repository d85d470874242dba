"""What the house counts about itself, as Prometheus reads it (text exposition format 0.0.4).

A metric holds a bounded number of series: the label values beyond it are counted together as `other`, so
that nobody fills the memory by inventing names.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

SERIES_MAX = 500
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[str, ...]


class Counter:
    """Only goes up."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self.labels = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, by: float = 1.0) -> None:
        assert len(labels) == len(self.labels), f"{self.name} has the labels {self.labels}, got {labels}"
        with self._lock:
            series = bounded(self._values, labels)
            self._values[series] = self._values.get(series, 0.0) + by

    def value(self, *labels: str) -> float:
        return self._values.get(labels, 0.0)

    def lines(self) -> list[str]:
        with self._lock:
            values = sorted(self._values.items())
        return [f"{self.name}{label_text(self.labels, labels)} {number(value)}" for labels, value in values]


class Gauge:
    """A value as it is now: set by its owner, or asked of `read` when somebody looks."""

    kind = "gauge"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self.labels = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}
        self._reads: dict[Labels, Callable[[], float]] = {}

    def set(self, value: float, *labels: str) -> None:
        assert len(labels) == len(self.labels), f"{self.name} has the labels {self.labels}, got {labels}"
        with self._lock:
            self._values[bounded(self._values, labels)] = value

    def read(self, value: Callable[[], float], *labels: str) -> None:
        """Ask `value` at each look; it must be quick and must not raise."""
        assert len(labels) == len(self.labels), f"{self.name} has the labels {self.labels}, got {labels}"
        with self._lock:
            self._reads[bounded(self._reads, labels)] = value

    def lines(self) -> list[str]:
        with self._lock:
            values, reads = dict(self._values), dict(self._reads)
        values |= {labels: read() for labels, read in reads.items()}
        return [
            f"{self.name}{label_text(self.labels, labels)} {number(value)}" for labels, value in sorted(values.items())
        ]


class Histogram:
    """How often a value fell under each bound."""

    kind = "histogram"

    def __init__(self, name: str, help: str, bounds: Sequence[float] = SECONDS) -> None:
        self.name, self.help, self.bounds = name, help, tuple(bounds)
        self._lock = threading.Lock()
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        with self._lock:
            self._counts[bisect_left(self.bounds, value)] += 1
            self._sum += value

    def lines(self) -> list[str]:
        with self._lock:
            counts, total = list(self._counts), self._sum
        lines, below = [], 0
        for bound, count in zip([*map(number, self.bounds), "+Inf"], counts, strict=True):
            below += count
            lines.append(f'{self.name}_bucket{{le="{bound}"}} {below}')
        return [*lines, f"{self.name}_sum {number(total)}", f"{self.name}_count {below}"]


Metric = Counter | Gauge | Histogram


class GatewayMetrics:
    """Every metric of the house by its name; whoever knows a fact reports it here."""

    def __init__(self) -> None:
        self.calls = Counter(
            "trailstate_calls_total", "Calls answered, by service and outcome.", ("service", "outcome")
        )
        self.refused = Counter(
            "trailstate_refused_total", "Requests the gateway refused by itself, by reason.", ("reason",)
        )
        self.call_seconds = Histogram("trailstate_call_seconds", "Time from a complete request to its answer.")
        self.calls_in_flight = Gauge("trailstate_calls_in_flight", "Calls that run or wait for a handler.")
        self.connections = Gauge("trailstate_connections", "Open connections.")
        self.journal_head = Gauge("trailstate_journal_head", "Position of the last durable record.")
        self.follower_lag = Gauge("trailstate_follower_lag", "Records a follower has not seen yet.", ("follower",))
        self.data_events_not_kept = Gauge(
            "trailstate_data_events_not_kept", "Data events that were not journalled because nobody selects them."
        )
        self.calls_not_recorded = Gauge("trailstate_calls_not_recorded", "Calls whose record could not be kept.")
        self.estate_restarts = Counter(
            "trailstate_estate_restarts_total", "Times the estate's process was started again."
        )

    def text(self, others: Sequence[Metric] = ()) -> str:
        """The page behind `/metrics`; `others` are what the parts of the house count."""
        metrics: list[Metric] = [*vars(self).values(), *others]
        lines: list[str] = []
        for metric in metrics:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *metric.lines()]
        return "\n".join(lines) + "\n"


def bounded(series: Mapping[Labels, object], labels: Labels) -> Labels:
    return labels if labels in series or len(series) < SERIES_MAX else ("other",) * len(labels)


def label_text(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
