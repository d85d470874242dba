"""PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter, TestMetricFilter."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailstate.services.logs.events import readable
from trailstate.services.logs.filters import delete_filter, put_filter, refuse_transformed
from trailstate.services.logs.found import existing_group, fault, milliseconds, page
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.filter import MalformedPattern, Message, Pattern, check_value, names_value, number_of
from trailstate.watch.group import GROUP, METRIC_FILTERS_MAX, metric_filters
from trailstate.wire.call import Call

DIMENSIONS_MAX = 3


@operation("logs")
def put_metric_filter(
    call: Call,
    shelf: StagedShelf,
    *,
    logGroupName: str,
    filterName: str,
    filterPattern: str,
    metricTransformations: Sequence[Mapping[str, Any]],
    applyOnTransformedLogs: bool | None = None,
    fieldSelectionCriteria: str | None = None,
    emitSystemFieldDimensions: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Have a metric made of the events that match, from now on; a filter of that name is replaced."""
    existing_group(call, shelf, logGroupName)
    refuse_transformed(applyOnTransformedLogs, fieldSelectionCriteria, emitSystemFieldDimensions)
    wanted = readable(filterPattern)
    for transformation in metricTransformations:
        _hold_transformation(wanted, transformation)
    document = {
        "filterName": filterName,
        "filterPattern": filterPattern,
        "metricTransformations": [dict(each) for each in metricTransformations],
        "creationTime": milliseconds(call),
        "logGroupName": logGroupName,
        "applyOnTransformedLogs": False,
    }
    put_filter(call, shelf, metric_filters(logGroupName), filterName, document, most=METRIC_FILTERS_MAX)
    return {}


def _hold_transformation(wanted: Pattern, transformation: Mapping[str, Any]) -> None:
    dimensions = transformation.get("dimensions") or {}
    if len(dimensions) > DIMENSIONS_MAX:
        raise fault.InvalidParameterException(f"A metric has at most {DIMENSIONS_MAX} dimensions here.")
    if dimensions and transformation.get("defaultValue") is not None:
        raise fault.InvalidParameterException(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
        )
    value = transformation["metricValue"]
    if not names_value(value) and number_of(value) is None:
        raise fault.InvalidParameterException(
            f"Invalid metric transformation: metricValue must be a number or begin with '$'; found '{value}'."
        )
    for text in (value, *dimensions.values()):
        _hold_named(wanted, text)


def _hold_named(wanted: Pattern, text: str) -> None:
    if not names_value(text):
        return
    try:
        check_value(wanted, text)
    except MalformedPattern as malformed:
        raise fault.InvalidParameterException(f"Invalid metric transformation: {malformed}") from None


@operation("logs")
def delete_metric_filter(call: Call, shelf: StagedShelf, *, logGroupName: str, filterName: str) -> dict[str, Any]:
    delete_filter(call, shelf, logGroupName, metric_filters(logGroupName), filterName, called="metric filter")
    return {}


@operation("logs")
def describe_metric_filters(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    logGroupName: str | None = None,
    filterNamePrefix: str | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
    metricName: str | None = None,
    metricNamespace: str | None = None,
) -> dict[str, Any]:
    """The filters of one group, or of all, that feed a metric if one is named."""
    if (metricName is None) != (metricNamespace is None):
        raise fault.InvalidParameterException("metricName and metricNamespace must be given together.")
    if logGroupName is not None:
        existing_group(call, shelf, logGroupName)
    found = [
        value
        for value in _filters(call, shelf, logGroupName)
        if value["filterName"].startswith(filterNamePrefix or "") and _feeds(value, metricNamespace, metricName)
    ]
    question = [call.account, call.region, logGroupName, filterNamePrefix, metricName, metricNamespace]
    shown, more = page(tokens, question, found, limit=limit, token=nextToken)
    return {"metricFilters": list(shown), **more}


def _filters(call: Call, shelf: StagedShelf, group: str | None) -> Iterator[dict[str, Any]]:
    known = [group] if group is not None else [key.name for key, _ in shelf.documents(call.account, call.region, GROUP)]
    for name in known:
        for _, value in shelf.documents(call.account, call.region, metric_filters(name)):
            yield value


def _feeds(value: Mapping[str, Any], namespace: str | None, name: str | None) -> bool:
    return name is None or any(
        (each["metricNamespace"], each["metricName"]) == (namespace, name) for each in value["metricTransformations"]
    )


@operation("logs")
def test_metric_filter(call: Call, *, filterPattern: str, logEventMessages: Sequence[str]) -> dict[str, Any]:
    """Which of the messages match, and the values that the pattern names."""
    wanted = readable(filterPattern)
    messages = [Message(text) for text in logEventMessages]
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message.text, "extractedValues": dict(wanted.named(message))}
            for number, message in enumerate(messages, start=1)
            if wanted.matches(message)
        ]
    }
