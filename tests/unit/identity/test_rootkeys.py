"""Root keys are made once, differ between accounts, and are nobody else's to read."""

from pathlib import Path

from trailstate.identity.rootkeys import load_or_make
from trailstate.world import SimulatedWorld


def test_a_root_key_survives_and_is_private(tmp_path: Path) -> None:
    world = SimulatedWorld(seed=1)
    made = load_or_make(tmp_path / "keys", ["111122223333", "444455556666"], world)
    again = load_or_make(tmp_path / "keys", ["444455556666", "111122223333"], world)
    assert made == again
    assert made["111122223333"].access_key_id != made["444455556666"].access_key_id
    assert len(made["111122223333"].access_key_id) == 20
    assert len(made["111122223333"].secret_access_key) == 40
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
