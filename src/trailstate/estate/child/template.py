"""CloudFormation templates are read as data.

moto reads them with PyYAML's `Loader`, which makes Python objects and calls functions that a template names
(`!!python/object/apply`). Here every loader that could is replaced by a safe one that knows CloudFormation's short
forms (`!Ref`, `!GetAtt`, `!Sub` …) and refuses any other tag of Python's.
"""

import json
from typing import Any

import yaml

from trailstate.estate.child.sources import replace

UNSAFE_LOADERS = ("Loader", "FullLoader", "UnsafeLoader", "CLoader", "CFullLoader", "CUnsafeLoader")
LANGUAGE_TAGS = "tag:yaml.org,2002:"


class TemplateLoader(yaml.SafeLoader):
    """YAML's plain types and CloudFormation's short forms."""


def _refuse(_loader: Any, suffix: str, node: yaml.Node) -> Any:
    line = node.start_mark.line + 1
    raise template_error(f"line {line} holds a tag that no template may use ('{LANGUAGE_TAGS}{suffix}')")


# Registered first: constructors are tried in order, and moto registers one for every tag there is.
TemplateLoader.add_multi_constructor(LANGUAGE_TAGS, _refuse)


def read_templates_safely() -> None:
    """Put the safe loader wherever an unsafe one can be reached by name."""
    for name in UNSAFE_LOADERS:
        for place in (yaml, yaml.loader):
            if hasattr(place, name):
                replace(place, name, TemplateLoader)


def tell_broken_templates() -> None:
    """A text that is neither YAML nor JSON is the caller's mistake, not the simulator's.

    moto falls back to JSON for what YAML refuses and lets the JSON error escape.
    """
    from moto.cloudformation import models, responses, utils

    class Reader:
        """Stands where moto's modules import `json`, for templates and everything else they read."""

        JSONDecodeError = json.JSONDecodeError
        dumps = staticmethod(json.dumps)
        load = staticmethod(json.load)

        @staticmethod
        def loads(text: str | bytes, **options: Any) -> Any:
            try:
                return json.loads(text, **options)
            except json.JSONDecodeError as error:
                raise template_error(
                    f"it is neither YAML nor JSON (line {error.lineno}, column {error.colno})"
                ) from error

    for module in (models, responses, utils):
        if hasattr(module, "json"):
            replace(module, "json", Reader)


def template_error(reason: str) -> Exception:
    """What AWS calls it; imported late, because CloudFormation is only loaded when somebody uses it."""
    from moto.cloudformation.exceptions import ValidationError

    error: Exception = ValidationError(message=f"Template format error: {reason}.")
    return error
