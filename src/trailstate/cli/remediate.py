"""`trailstate remediate`: repair one resource as its rule's remediation says, and show the calls that it takes.

Everything goes through the running server's API, as any client's call would, and is recorded.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from trailstate.cli.exit import ExitCode, Stop
from trailstate.cli.options import Config, Data, effective
from trailstate.cli.server import accepts, noted_server
from trailstate.cli.terminal import put, say, table

POLL_SECONDS = 0.2
RUNS_LOOKED_AT = 10
ENDED = ("SUCCEEDED", "FAILED")


def remediate(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule whose remediation is run.")],
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="The id of the resource.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the calls, and make none of them.")] = False,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The resource's type. [default: as the rule judged it]")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", help="The account. [default: the server's first]")] = None,
    region: Annotated[str | None, typer.Option("--region", help="The Region. [default: the server's]")] = None,
    wait: Annotated[int, typer.Option("--wait", metavar="SECONDS", min=1, help="How long to wait for its end.")] = 300,
    data: Data = None,
    config: Config = None,
) -> None:
    """Repair a resource with the document that the rule's remediation names.

    \b
    Examples:
      trailstate remediate s3-bucket-public-read-prohibited holiday-photos --dry-run
      trailstate remediate restricted-ssh sg-0123456789abcdef0
    """
    aws = _Client(data, config, account, region)
    configuration = _configuration(aws, rule)
    if dry_run:
        _print_plan(aws, configuration, resource)
        return
    key = {"resourceType": kind or _type(aws, configuration, rule, resource), "resourceId": resource}
    refused = aws.call("config", "StartRemediationExecution", ConfigRuleName=rule, ResourceKeys=[key])
    if refused.get("FailedItems"):
        raise Stop(ExitCode.NO, f"{resource} is not repaired now: {refused['FailureMessage']}")
    status = _ended(aws, rule, key, wait)
    steps = status.get("StepDetails", ())
    put(table(("step", "state", "error"), [(s["Name"], s["State"], s.get("ErrorMessage", "")) for s in steps]))
    _print_calls(aws, configuration["TargetId"], resource)
    if status["State"] != "SUCCEEDED":
        raise Stop(ExitCode.NO, f"The repair of {resource} failed.")
    say(f"{resource} was repaired by {configuration['TargetId']}.")


class _Client:
    """The server's API for one account and Region."""

    def __init__(self, data: Any, config: Any, account: str | None, region: str | None) -> None:
        from botocore.session import Session

        settings = effective(data=data, config=config)
        server = noted_server(settings.data)
        if server is None or not accepts(server.endpoint):
            raise Stop(ExitCode.NO_SERVER, f"No server runs on {settings.data}. Start one with: trailstate up")
        self._session = Session()
        self._options: dict[str, Any] = {
            "endpoint_url": server.endpoint,
            "region_name": region or settings.region,
            "aws_access_key_id": account or server.accounts[0],
            "aws_secret_access_key": "unused",
        }

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The operation's answer; ends the command with the API's own sentence when it fails."""
        from botocore import xform_name
        from botocore.exceptions import ClientError

        client = self._session.create_client(service, **self._options)
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            raise Stop(ExitCode.NO, f"{operation} failed: {error.response['Error']['Message']}") from None
        return answer


def _configuration(aws: _Client, rule: str) -> dict[str, Any]:
    found = aws.call("config", "DescribeRemediationConfigurations", ConfigRuleNames=[rule])["RemediationConfigurations"]
    if not found:
        raise Stop(
            ExitCode.NO,
            f"The rule {rule} has no remediation. Give it one with: aws config put-remediation-configurations",
        )
    return dict(found[0])


def _type(aws: _Client, configuration: Mapping[str, Any], rule: str, resource: str) -> str:
    if configuration.get("ResourceType"):
        return str(configuration["ResourceType"])
    details = aws.call("config", "GetComplianceDetailsByConfigRule", ConfigRuleName=rule, Limit=100)
    for result in details["EvaluationResults"]:
        judged = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
        if judged["ResourceId"] == resource:
            return str(judged["ResourceType"])
    raise Stop(ExitCode.NO, f"The rule {rule} has judged no resource called {resource}; say its type with --type.")


def _print_plan(aws: _Client, configuration: Mapping[str, Any], resource: str) -> None:
    from trailstate.app.remediation import load_actions
    from trailstate.remediation.action import ACTIONS
    from trailstate.remediation.document import automation
    from trailstate.remediation.parameters import BadParameter, typed
    from trailstate.remediation.place import parameters_of
    from trailstate.remediation.plan import planned

    load_actions()
    version = {"DocumentVersion": configuration["TargetVersion"]} if configuration.get("TargetVersion") else {}
    document = aws.call("ssm", "GetDocument", Name=configuration["TargetId"], DocumentFormat="JSON", **version)
    made = automation(json.loads(document["Content"]), ACTIONS)
    try:
        values = typed(made.parameters, parameters_of(configuration, resource))
    except BadParameter as error:
        raise Stop(ExitCode.NO, f"{configuration['TargetId']} would not start: {error}.") from None
    put(table(("step", "action", "call"), [(e.step, e.action, e.call) for e in planned(made, values, ACTIONS)]))
    say("Nothing was called.")


def _ended(aws: _Client, rule: str, key: Mapping[str, str], wait: int) -> dict[str, Any]:
    from trailstate.world import RealWorld, sleep

    world = RealWorld()
    deadline = world.monotonic() + wait
    while True:
        asked = {"ConfigRuleName": rule, "ResourceKeys": [key]}
        (status,) = aws.call("config", "DescribeRemediationExecutionStatus", **asked)["RemediationExecutionStatuses"]
        if status["State"] in ENDED:
            return dict(status)
        if world.monotonic() > deadline:
            raise Stop(ExitCode.NO, f"The repair of {key['resourceId']} is {status['State']} after {wait} seconds.")
        sleep(POLL_SECONDS)


def _print_calls(aws: _Client, document: str, resource: str) -> None:
    """What the document's newest execution for the resource called, as the event history has it."""
    wanted = [{"Key": "DocumentNamePrefix", "Values": [document]}]
    runs = aws.call("ssm", "DescribeAutomationExecutions", Filters=wanted, MaxResults=RUNS_LOOKED_AT)
    names = [run["AutomationExecutionId"] for run in runs["AutomationExecutionMetadataList"]]
    name = next((each for each in names if _is_for(aws, each, resource)), None)
    if name is None:
        return
    session = {"AttributeKey": "Username", "AttributeValue": f"Automation-{name}"}
    events = aws.call("cloudtrail", "LookupEvents", LookupAttributes=[session])["Events"]
    put(table(("time", "call", "parameters", "error"), [_row(event) for event in reversed(events)]))


def _is_for(aws: _Client, execution: str, resource: str) -> bool:
    found = aws.call("ssm", "GetAutomationExecution", AutomationExecutionId=execution)["AutomationExecution"]
    return any(resource in values for values in found["Parameters"].values())


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    record = json.loads(event["CloudTrailEvent"])
    call = f"{record['eventSource'].partition('.')[0]}:{record['eventName']}"
    return (record["eventTime"], call, json.dumps(record.get("requestParameters")), record.get("errorCode", ""))
