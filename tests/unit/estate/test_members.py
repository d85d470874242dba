"""A member of an answer is found under the names that moto would look for."""

from typing import Any

import pytest
from moto.core import serialize
from moto.core.utils import get_service_model

from trailstate.estate.child import members

ask = serialize.ResponseSerializer.get_value


class User:
    user_name = "by its spelling"
    id = "by its class's prefix"


class Stack:
    class Meta:
        serialization_aliases = {"UserName": "shown.as"}  # noqa: RUF012 - as moto writes it

    shown = {"as": "by its alias"}  # noqa: RUF012


OBJECTS = [User(), Stack(), {"UserName": 1}, {"user_name": 2}, {"Name": 3}, {}, None, "text", [1]]


@pytest.fixture
def get_member() -> Any:
    members.members_are_sought_by_known_names()
    yield serialize.ResponseSerializer.get_value
    serialize.ResponseSerializer.get_value = ask  # type: ignore[method-assign]


@pytest.mark.parametrize("transformers", [{}, {"GetUserResponse.User.UserName": str, "Id": repr, "erName": len}])
def test_finds_what_moto_finds(transformers: dict[str, Any], get_member: Any) -> None:
    operation = get_service_model("iam").operation_model("GetUser")
    user = operation.output_shape.members["User"]  # type: ignore[union-attr]
    for member in user.members.values():
        member.parent = user
    picker = serialize.XFormedAttributePicker(response_transformers=transformers)
    serializer = serialize.QuerySerializer(operation, value_picker=picker)
    serializer.path = ["GetUser", "GetUserResponse", "User"]
    for each in OBJECTS * 2:
        for key, shape in user.members.items():
            assert get_member(serializer, each, key, shape) == ask(serializer, each, key, shape), (each, key)
