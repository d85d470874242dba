"""Seeds that every change must survive, and deliberate bugs that the simulation must find."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.damage import DAMAGES
from tests.simulation.run import simulate

SEEDS = range(1, 51)
SEEDS_MAX = 40
"""Within how many seeds each deliberate bug shows."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What fails on purpose is not told, here and nowhere else."""
    log = logging.getLogger("trailstate")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_evidence_of_two_days_is_whole(seed: int) -> None:
    findings = simulate(seed)
    assert findings == [], f"python -m tests.simulation.run --first {seed} --seeds 1"


@pytest.mark.parametrize("name", DAMAGES)
def test_a_deliberate_bug_is_found(name: str) -> None:
    assert any(simulate(seed, DAMAGES[name]) for seed in range(1, SEEDS_MAX + 1)), "the simulation has no teeth for it"
