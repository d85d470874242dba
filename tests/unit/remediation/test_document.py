"""Automation documents: what the schema allows, and how it says no."""

import copy
from typing import Any

import pytest

from trailstate.app.remediation import load_actions, owned_documents
from trailstate.remediation.action import ACTIONS
from trailstate.remediation.document import BadDocument, BadSchemaVersion, automation, read_content
from trailstate.remediation.parameters import BadParameter, typed
from trailstate.remediation.substitute import Unresolved, substitute

load_actions()

GOOD: dict[str, Any] = {
    "schemaVersion": "0.3",
    "assumeRole": "{{ Role }}",
    "parameters": {"Role": {"type": "String", "default": ""}, "Group": {"type": "String"}},
    "mainSteps": [
        {
            "name": "find",
            "action": "aws:executeAwsApi",
            "inputs": {"Service": "ec2", "Api": "DescribeSecurityGroups", "GroupIds": ["{{ Group }}"]},
            "outputs": [{"Name": "Name", "Selector": "$.SecurityGroups[0].GroupName", "Type": "String"}],
        },
        {"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}, "isEnd": True},
    ],
}


def test_a_document_is_read_into_its_steps() -> None:
    made = automation(GOOD, ACTIONS)
    assert list(made.steps) == ["find", "rest"]
    assert (made.steps["find"].max_attempts, made.steps["find"].timeout_seconds) == (1, 3600)
    assert made.after("find") == "rest"


BROKEN: list[tuple[str, Any, str]] = [
    ("mainSteps", [], "1 to 100 steps"),
    ("mainSteps", "no", "mainSteps must be a list"),
    ("surprise", 1, "unknown properties: surprise"),
    ("parameters", {"Role": {"type": "Float"}}, "the parameter 'Role' must declare"),
    ("parameters", {"Role": {"type": "Integer", "default": "x"}}, "must be a Integer"),
    ("assumeRole", "{{ Nobody }}", "refers to no parameter and no step"),
]
BROKEN_STEPS: list[tuple[dict[str, Any], str]] = [
    ({"action": "aws:runCommand"}, "'aws:runCommand', which is not supported by Trailstate yet"),
    ({"name": "two words"}, "letters, digits and '_'"),
    ({"inputs": {"Duration": "PT1M", "Until": "x"}}, "unknown properties: Until"),
    ({"action": "aws:executeAwsApi", "inputs": {"Service": "ec2"}}, "requires: Api"),
    ({"nextStep": "nowhere"}, "leads to 'nowhere'"),
    ({"onFailure": "Explode"}, "Abort, Continue or step:NAME"),
    ({"onFailure": "step:gone"}, "leads to 'gone'"),
    ({"maxAttempts": 0}, "from 1 to 10"),
    ({"isEnd": "maybe"}, "true or false"),
    ({"name": "find"}, "two steps are named 'find'"),
    ({"outputs": [{"Name": "x", "Selector": "nope"}]}, "no valid Selector"),
    ({"outputs": [{"Name": "x", "Selector": "$", "Type": "Float"}]}, "one of the types"),
    ({"inputs": {"Duration": "{{ lost.Output }}"}}, "'{{ lost.Output }}' refers to no parameter"),
]


@pytest.mark.parametrize(("member", "value", "message"), BROKEN, ids=[each[2] for each in BROKEN])
def test_a_broken_document_is_refused_by_what_is_wrong(member: str, value: Any, message: str) -> None:
    with pytest.raises(BadDocument, match=message.replace("[", "\\[")):
        automation(GOOD | {member: value}, ACTIONS)


@pytest.mark.parametrize(("change", "message"), BROKEN_STEPS, ids=[each[1] for each in BROKEN_STEPS])
def test_a_broken_step_is_refused_by_what_is_wrong(change: dict[str, Any], message: str) -> None:
    document = copy.deepcopy(GOOD)
    document["mainSteps"][1] |= change
    with pytest.raises(BadDocument, match=message):
        automation(document, ACTIONS)


def test_another_schema_is_told_apart() -> None:
    with pytest.raises(BadSchemaVersion, match=r"found '2\.2'"):
        automation(GOOD | {"schemaVersion": "2.2"}, ACTIONS)


@pytest.mark.parametrize("text", ["- a list", "a: [", "just words"])
def test_what_is_no_map_is_no_document(text: str) -> None:
    with pytest.raises(BadDocument):
        read_content(text)


def test_every_document_of_the_catalogue_keeps_the_schema() -> None:
    owned = owned_documents().owned
    assert owned
    for name, document in owned.items():
        automation(read_content(document["versions"]["1"]["Content"]), ACTIONS)
        assert document["Owner"] == "Amazon", name


DECLARED = {
    "Text": {"type": "String", "default": "", "allowedPattern": "^[a-z]*$"},
    "Flag": {"type": "Boolean", "default": "True"},
    "Count": {"type": "Integer", "default": 5},
    "Names": {"type": "StringList", "default": []},
    "Map": {"type": "StringMap", "default": {}},
    "Maps": {"type": "MapList", "default": []},
    "Mode": {"type": "String", "default": "on", "allowedValues": ["on", "off"]},
    "Role": {"type": "AWS::IAM::Role::Arn", "default": ""},
}


def test_parameters_become_values_of_their_types() -> None:
    given = {"Flag": ["false"], "Count": ["7"], "Names": ["a", "b"], "Map": ['{"k": "v"}'], "Maps": ['[{"a": 1}]']}
    values = typed(DECLARED, given)
    assert values == {
        "Text": "", "Flag": False, "Count": 7, "Names": ["a", "b"], "Map": {"k": "v"}, "Maps": [{"a": 1}],
        "Mode": "on", "Role": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        {"Count": ["x"]},
        {"Flag": ["maybe"]},
        {"Mode": ["dim"]},
        {"Text": ["UPPER"]},
        {"Other": ["1"]},
        {"Count": ["1", "2"]},
        {"Map": ["[]"]},
    ],
)
def test_parameters_that_do_not_fit_are_refused(given: dict[str, list[str]]) -> None:
    with pytest.raises(BadParameter):
        typed(DECLARED, given)


def test_a_required_parameter_must_be_given() -> None:
    with pytest.raises(BadParameter, match="'Id' is required"):
        typed({"Id": {"type": "String"}}, {})


def test_a_whole_reference_keeps_its_type_and_a_part_becomes_text() -> None:
    known = {"n": 7, "list": ["a"], "s": "{{ n }}"}
    value = {"whole": "{{ n }}", "part": "n={{n}} {{ list }}", "again": "{{ s }}", "{{ s }}x": ["{{ list }}"]}
    assert substitute(value, known.__getitem__) == {
        "whole": 7,
        "part": 'n=7 ["a"]',
        "again": "{{ n }}",
        "{{ n }}x": [["a"]],
    }


def test_a_reference_to_nothing_is_told() -> None:
    def nothing(name: str) -> Any:
        raise Unresolved(name)

    with pytest.raises(Unresolved, match="gone"):
        substitute(["{{ gone }}"], nothing)
