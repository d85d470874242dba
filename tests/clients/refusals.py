"""Calls that must fail, and what their failure says."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """Code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def refusal(call: Any, **parameters: Any) -> str:
    """The code of a call that must fail."""
    return refused(call, **parameters)[0]


def check_refused(expected: str, words: str, call: Any, **parameters: Any) -> None:
    """Expect the call to fail with that code and a message that holds the words."""
    found, message = refused(call, **parameters)
    assert found == expected
    assert words in message
