"""What the real world draws has the form that everybody expects of it."""

import re
import uuid

from trailstate.world import ALPHANUMERIC, RealWorld


def test_a_uuid_is_random_and_says_so() -> None:
    drawn = [RealWorld().uuid() for _ in range(100)]
    assert {uuid.UUID(each).version for each in drawn} == {4}
    assert {uuid.UUID(each).variant for each in drawn} == {uuid.RFC_4122}
    assert [str(uuid.UUID(each)) for each in drawn] == drawn
    assert len(set(drawn)) == 100


def test_a_token_has_its_length_and_all_of_its_alphabet() -> None:
    drawn = [RealWorld().token(16) for _ in range(1000)]
    assert all(re.fullmatch(r"[A-Za-z0-9]{16}", each) for each in drawn)
    assert set("".join(drawn)) == set(ALPHANUMERIC)
    assert len(set(drawn)) == 1000
