"""PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter: matching events go to a function."""

from collections.abc import Sequence
from typing import Any

from trailstate.services.logs.events import readable
from trailstate.services.logs.filters import delete_filter, put_filter, refuse_transformed
from trailstate.services.logs.found import existing_group, fault, group_arn, milliseconds, page
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.group import SUBSCRIPTION_FILTERS_MAX, subscription_filters
from trailstate.wire.call import Call, Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.wire.spelling import NOT_SUPPORTED

SERVICE = "logs.amazonaws.com"


@operation("logs")
def put_subscription_filter(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    *,
    logGroupName: str,
    filterName: str,
    filterPattern: str,
    destinationArn: str,
    roleArn: str | None = None,
    distribution: str | None = None,
    applyOnTransformedLogs: bool | None = None,
    fieldSelectionCriteria: str | None = None,
    emitSystemFields: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Send matching events on, from now on. The function must be there; it is called as CloudWatch Logs."""
    existing_group(call, shelf, logGroupName)
    readable(filterPattern)
    refuse_transformed(applyOnTransformedLogs, fieldSelectionCriteria, emitSystemFields)
    if not destinationArn.startswith("arn:aws:lambda:"):
        raise fault.InvalidParameterException(f"A subscription that is no Lambda function {NOT_SUPPORTED}")
    _hold_function(call, door, logGroupName, destinationArn)
    document = {
        "filterName": filterName,
        "logGroupName": logGroupName,
        "filterPattern": filterPattern,
        "destinationArn": destinationArn,
        "distribution": distribution or "ByLogStream",
        "creationTime": milliseconds(call),
        "logGroupArn": group_arn(call, logGroupName),
    }
    put_filter(call, shelf, subscription_filters(logGroupName), filterName, document, most=SUBSCRIPTION_FILTERS_MAX)
    return {}


def _hold_function(call: Call, door: Door, group: str, arn: str) -> None:
    """The function must be there, and its policy let CloudWatch Logs in for this group."""
    by = service_principal(SERVICE, call.account, f"{group_arn(call, group)}:*")
    asked = {"FunctionName": arn, "InvocationType": "DryRun"}
    try:
        door.call("lambda", "Invoke", asked, account=call.account, region=call.region, as_=by)
    except Fault as refusal:
        raise fault.InvalidParameterException(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your"
            f" function. ({refusal.code}: {refusal.message})"
        ) from refusal


@operation("logs")
def delete_subscription_filter(call: Call, shelf: StagedShelf, *, logGroupName: str, filterName: str) -> dict[str, Any]:
    kind = subscription_filters(logGroupName)
    delete_filter(call, shelf, logGroupName, kind, filterName, called="subscription filter")
    return {}


@operation("logs")
def describe_subscription_filters(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    logGroupName: str,
    filterNamePrefix: str | None = None,
    nextToken: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    existing_group(call, shelf, logGroupName)
    found = [
        {name: each for name, each in value.items() if name != "logGroupArn"}
        for key, value in shelf.documents(call.account, call.region, subscription_filters(logGroupName))
        if key.name.startswith(filterNamePrefix or "")
    ]
    question = [call.account, call.region, logGroupName, filterNamePrefix]
    shown, more = page(tokens, question, found, limit=limit, token=nextToken)
    return {"subscriptionFilters": list(shown), **more}
