"""Metrics in Prometheus's text form, bounded in number."""

from trailstate.gateway.metrics import SERIES_MAX, Counter, Gauge, Histogram


def test_a_counter_by_labels() -> None:
    calls = Counter("calls_total", "Calls.", ("service", "outcome"))
    calls.add("s3", "ok")
    calls.add("s3", "ok", by=2)
    calls.add('a"b\\\n', "failed")
    assert calls.lines() == [
        'calls_total{service="a\\"b\\\\\\n",outcome="failed"} 1',
        'calls_total{service="s3",outcome="ok"} 3',
    ]


def test_invented_names_do_not_fill_the_memory() -> None:
    calls = Counter("calls_total", "Calls.", ("service",))
    for number in range(SERIES_MAX + 50):
        calls.add(str(number))
    assert calls.value("other") == 50
    assert len(calls.lines()) == SERIES_MAX + 1


def test_a_gauge_is_asked_when_somebody_looks() -> None:
    queue = [1, 2, 3]
    depth = Gauge("depth", "Depth.", ("follower",))
    depth.read(lambda: len(queue), "history")
    queue.append(4)
    assert depth.lines() == ['depth{follower="history"} 4']


def test_a_histogram_is_cumulative() -> None:
    seconds = Histogram("seconds", "Seconds.", (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7):
        seconds.observe(value)
    assert seconds.lines() == [
        'seconds_bucket{le="0.1"} 2',
        'seconds_bucket{le="1"} 3',
        'seconds_bucket{le="+Inf"} 4',
        "seconds_sum 7.65",
        "seconds_count 4",
    ]
