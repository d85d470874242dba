"""The house of compliance for the tests beside this page."""

from collections.abc import Iterator

import pytest

from tests.unit.compliance.house import House


@pytest.fixture
def house() -> Iterator[House]:
    built = House()
    yield built
    built.close()
