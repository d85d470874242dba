"""Derived tables: rows and cursor together or not at all, and a database that is damaged is made anew."""

import sqlite3
from pathlib import Path

import pytest

from trailstate.stores.derived import FILE_NAME, Derived


def fill(derived: Derived, word: str | None, position: int) -> None:
    with derived.transaction() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (word TEXT NOT NULL)")
        derived.set_cursor(connection, "words", position)
        connection.execute("INSERT INTO word VALUES (?)", (word,))


def words(derived: Derived) -> list[str]:
    return [word for (word,) in derived.connection().execute("SELECT word FROM word ORDER BY rowid")]


def test_rows_and_cursor_are_kept_together(tmp_path: Path) -> None:
    first = Derived(tmp_path)
    assert first.cursor("words") == 0
    fill(first, "a", 7)
    first.close()
    again = Derived(tmp_path)
    assert (words(again), again.cursor("words")) == (["a"], 7)
    again.close()


def test_a_transaction_that_fails_leaves_neither(tmp_path: Path) -> None:
    derived = Derived(tmp_path)
    fill(derived, "a", 1)
    with pytest.raises(sqlite3.IntegrityError):
        fill(derived, None, 2)
    assert (words(derived), derived.cursor("words")) == (["a"], 1)
    derived.close()


def test_what_is_damaged_is_made_anew(tmp_path: Path) -> None:
    first = Derived(tmp_path)
    fill(first, "a", 7)
    first.close()
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1000)
    again = Derived(tmp_path)
    assert again.cursor("words") == 0
    fill(again, "b", 1)
    assert words(again) == ["b"]
    again.close()


def test_what_another_version_wrote_is_made_anew(tmp_path: Path) -> None:
    first = Derived(tmp_path)
    fill(first, "a", 7)
    with first.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    first.close()
    again = Derived(tmp_path)
    assert again.cursor("words") == 0
    again.close()


def test_it_survives_a_power_failure_in_order(tmp_path: Path) -> None:
    derived = Derived(tmp_path)
    with derived.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
    derived.close()


def test_without_a_directory_it_leaves_nothing_behind() -> None:
    derived = Derived(None)
    fill(derived, "a", 1)
    place = derived.path.parent
    assert place.is_dir()
    derived.close()
    assert not place.exists()


def test_erased_every_follower_begins_anew(tmp_path: Path) -> None:
    derived = Derived(tmp_path)
    fill(derived, "a", 7)
    derived.erase()
    assert (words(derived), derived.cursor("words")) == ([], 0)
    derived.close()
