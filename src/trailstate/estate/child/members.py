"""Under which names a member of an answer may be found is worked out once for each kind of object, not for each answer.

moto's serializers look for a member under some eight names (its own, the shape's, each with and without the prefix of
its class, each in both spellings); which, depends on the model and on the object's class alone.
"""

from typing import Any

from moto.core import serialize
from moto.core.constants import MISSING
from moto.core.utils import get_value

from trailstate.estate.child.sources import replace


def members_are_sought_by_known_names() -> None:
    """From here on a serializer asks an object for the names its class is known to go by."""
    assert serialize.XFormedAttributePicker.__call__ is serialize.AttributePicker.__call__, "moto picks otherwise now"
    ask = serialize.ResponseSerializer.get_value

    def get_member(self: Any, value: Any, key: str, shape: Any) -> Any:
        picker = self._value_picker
        if type(picker) is not serialize.XFormedAttributePicker:
            return ask(self, value, key, shape)
        kind = value.__class__
        known = vars(shape).setdefault("names_by_kind", {})
        names = known.get(kind)
        if names is None:
            names = known[kind] = _names(picker, value, key, shape)
        found = _sought(value, kind, names)
        return _transformed(picker, self.path, key, found) if picker.response_transformers else found

    replace(serialize.ResponseSerializer, "get_value", get_member)


def _names(picker: Any, value: Any, key: str, shape: Any) -> tuple[str, ...]:
    context = serialize.AttributePickerContext(obj=value, key=key, shape=shape)
    return tuple(dict.fromkeys(picker.get_possible_keys(context)))


def _sought(value: Any, kind: type, names: tuple[str, ...]) -> Any:
    """The first of them that the object has; None when it has none."""
    if kind is dict:
        for name in names:
            if name in value:
                return value[name]
        return None
    for name in names:
        found = get_value(value, name, MISSING)
        if found is not MISSING:
            return found
    return None


def _transformed(picker: Any, path: list[str], key: str, found: Any) -> Any:
    """What moto makes of a member at that path; few paths end as one of its transformers', so that is asked first."""
    ends = vars(picker).get("ends")
    if ends is None:
        ends = picker.ends = tuple(each.rpartition(".")[2] for each in picker.response_transformers)
    if not key.endswith(ends):
        return found
    whole = ".".join((*path, key))
    for end, transform in picker.response_transformers.items():
        if whole.endswith(end):
            return transform(found)
    return found
