"""YAML from strangers: what is read, and what is refused before it grows."""

import pytest

from trailstate.values.yaml_text import BadYaml, read_yaml


def read(text: str) -> object:
    return read_yaml(text, characters_max=10_000)


def test_yaml_and_json_become_plain_values() -> None:
    assert read("a: [1, yes, 'x']\nb: 2012-10-17") == {"a": [1, True, "x"], "b": "2012-10-17"}
    assert read('{"a": {"b": null}}') == {"a": {"b": None}}


def test_nine_levels_of_aliases_are_refused() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(BadYaml, match="more than 100000 nodes"):
        read("\n".join(["l0: &l0 [x, x]", *levels]))


@pytest.mark.parametrize(
    "text",
    ["a: !!python/object/apply:os.system [id]", "a: [1", "a: !Ref b", "--- 1\n--- 2", "[" * 80 + "]" * 80, "&a [*a]"],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(BadYaml):
        read(text)


def test_a_text_over_its_bound_is_not_even_read() -> None:
    with pytest.raises(BadYaml, match="more than 10000"):
        read("#" * 10_001)
