"""What a document would do, told without doing it."""

from trailstate.app.remediation import load_actions, owned_documents
from trailstate.remediation.action import ACTIONS
from trailstate.remediation.document import automation, read_content
from trailstate.remediation.parameters import typed
from trailstate.remediation.plan import planned

load_actions()


def plan(name: str, **given: str) -> list[tuple[str, str]]:
    made = automation(read_content(owned_documents().owned[name]["versions"]["1"]["Content"]), ACTIONS)
    values = typed(made.parameters, {parameter: [value] for parameter, value in given.items()})
    return [(each.step, each.call) for each in planned(made, values, ACTIONS)]


def test_a_branch_on_parameters_is_followed() -> None:
    given = {"BucketName": "b", "TargetBucket": "t", "GrantedPermission": "READ", "GranteeType": "Group"}
    steps = plan("AWS-ConfigureS3BucketLogging", GranteeUri="u", **given)
    assert [step for step, _ in steps] == ["ChooseGrantee", "LogForGroup"]
    assert steps[1][1].startswith('s3:PutBucketLogging {"Bucket": "b"')


def test_a_script_says_that_its_calls_are_its_own() -> None:
    ((step, call),) = plan("AWS-DisablePublicAccessForSecurityGroup", GroupId="sg-1")
    assert step == "CloseRemoteLogin"
    assert call.startswith('the script\'s close({"Group": "sg-1"')
