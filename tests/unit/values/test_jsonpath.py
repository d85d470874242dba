"""JSONPath: what selectors of automation documents find."""

import pytest

from trailstate.values.jsonpath import Absent, BadPath, compiled, find

ANSWER = {
    "SecurityGroups": [
        {"GroupId": "sg-1", "Tags": [{"Key": "Env", "Value": "prod"}, {"Key": "Team", "Value": "web"}]},
        {"GroupId": "sg-2", "Tags": []},
    ],
    "odd name": {"deep": {"Arn": "a1"}},
    "Enabled": True,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", ANSWER),
        ("$.Enabled", True),
        ("$.SecurityGroups[0].GroupId", "sg-1"),
        ("$.SecurityGroups[-1].GroupId", "sg-2"),
        ("$['odd name'].deep.Arn", "a1"),
        ("$.SecurityGroups[*].GroupId", ["sg-1", "sg-2"]),
        ("$.SecurityGroups..GroupId", ["sg-1", "sg-2"]),
        ("$..Arn", ["a1"]),
        ("$.SecurityGroups[0:1].GroupId", ["sg-1"]),
        ("$.SecurityGroups[0].Tags[?(@.Key == 'Env')].Value", ["prod"]),
        ("$.SecurityGroups[0].Tags[?(@.Key != 'Env')].Value", ["web"]),
        ("$.SecurityGroups[*].Missing", []),
    ],
)
def test_a_path_finds(path: str, expected: object) -> None:
    assert find(path, ANSWER) == expected


def test_a_definite_path_that_leads_nowhere_says_so() -> None:
    with pytest.raises(Absent, match=r"'\$\.SecurityGroups\[7\]\.GroupId' leads to nothing"):
        find("$.SecurityGroups[7].GroupId", ANSWER)


@pytest.mark.parametrize("path", ["", "Payload", "$.", "$[", "$.a[b]", "$.a[?(@.x = 1)]", "$" + ".a" * 1000])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        compiled(path)
