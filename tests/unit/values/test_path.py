"""Paths and templates over plain values."""

from trailstate.values.path import fill, first, pick

ANSWER = {
    "Reservations": [{"Instances": [{"Id": "i-1", "Tags": []}, {"Id": "i-2"}]}, {"Instances": [{"Id": None}]}],
    "Token": "",
}


def test_a_path_goes_into_every_element_of_a_list() -> None:
    assert pick(ANSWER, "Reservations[].Instances[].Id") == ["i-1", "i-2"]
    assert pick(["a", "b"], "[]") == ["a", "b"]


def test_what_is_not_there_is_not_found() -> None:
    assert pick(ANSWER, "Reservations.Instances") == []
    assert first(ANSWER, "Nothing.At.All") is None
    assert pick("text", "[]") == []


def test_the_empty_path_is_the_value_itself() -> None:
    assert first("arn:aws:sns:x", "") == "arn:aws:sns:x"


def test_a_template_of_one_placeholder_keeps_its_values_type() -> None:
    values = {"Size": 8, "Zone": "a"}
    assert fill("{Size}", values.get) == 8
    assert fill({"Filters": [{"Values": ["{Zone}"]}], "Plain": True}, values.get) == {
        "Filters": [{"Values": ["a"]}],
        "Plain": True,
    }


def test_text_with_a_placeholder_that_nothing_fills_is_none() -> None:
    assert fill("arn:aws:ec2:{region}:x", {}.get) is None
    assert fill('{"json": 1}', {}.get) == '{"json": 1}'
