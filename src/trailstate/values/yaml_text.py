"""YAML that strangers wrote, as plain values: no tags of Python's, and bounds before anything grows.

YAML 1.1 as PyYAML's safe loader reads it, but a date stays the text it was written as. JSON is YAML too. Aliases may
multiply a small text into a huge value (the "billion laughs"), so nodes are counted as if every alias were written out
before any value is made. Tags of an application's own (`!Ref`) are read only where the caller names them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import yaml

NODES_MAX = 100_000
DEPTH_MAX = 64


class BadYaml(ValueError):
    """The text cannot be read; the message says where and why."""


class _Loader(yaml.CSafeLoader):
    """The safe loader without dates."""

    tags: Mapping[str, Callable[[Any], Any]]


def _tagged(loader: _Loader, node: yaml.Node) -> Any:
    """What the caller makes of a tag of its own; any other is refused as the safe loader refuses it."""
    make = loader.tags.get(node.tag)
    if make is None:
        raise yaml.constructor.ConstructorError(None, None, f"the tag '{node.tag}' is not known", node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        return make(loader.construct_scalar(node))
    if isinstance(node, yaml.SequenceNode):
        return make(loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.MappingNode)
    return make(loader.construct_mapping(node, deep=True))


_Loader.add_constructor(None, _tagged)

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


Tags = Mapping[str, Callable[[Any], Any]]
NO_TAGS: Tags = MappingProxyType({})


def short_functions(*names: str) -> Tags:
    """The tags by which CloudFormation's functions may be written (`!If`), each as its long form (`Fn::If`)."""
    return {f"!{name}": _called(name if name in ("Ref", "Condition") else f"Fn::{name}") for name in names}


def _called(name: str) -> Callable[[Any], Any]:
    return lambda value: {name: value}


def read_yaml(text: str, *, characters_max: int, tags: Tags = NO_TAGS) -> Any:
    """The value of the only document in the text; BadYaml for everything else, and beyond the bounds.

    `tags` says what becomes of the value that stands behind each tag of the application's own.
    """
    if len(text) > characters_max:
        raise BadYaml(f"the text has {len(text)} characters, more than {characters_max}")
    loader = _Loader(text)
    loader.tags = tags
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _count(root)
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        raise BadYaml(_sentence(error)) from error
    except (ValueError, RecursionError) as error:
        raise BadYaml(f"the text cannot be read: {error}") from error
    finally:
        loader.dispose()


def _count(root: yaml.Node) -> None:
    pending, count = [(root, 1)], 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > NODES_MAX or depth > DEPTH_MAX:
            raise BadYaml(f"the text has more than {NODES_MAX} nodes or is nested deeper than {DEPTH_MAX}")
        if isinstance(node, yaml.SequenceNode):
            pending += [(each, depth + 1) for each in node.value]
        elif isinstance(node, yaml.MappingNode):
            pending += [(each, depth + 1) for pair in node.value for each in pair]


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
    return f"{getattr(error, 'problem', None) or 'the text is not YAML'}{place}"
