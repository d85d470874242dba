"""Settings: who wins, what is refused, and what a person reads when something is wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trailstate.cli import reference
from trailstate.settings import KINDS, Settings, SettingsError, is_loopback, load_settings

HOME = Path("/home/ana")


def load(tmp_path: Path, flags: dict[str, object] | None = None, **environment: str) -> Settings:
    return load_settings(flags or {}, environment, directory=tmp_path, home=HOME)


def test_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert (settings.host, settings.port, settings.testing, settings.open) == ("127.0.0.1", 4566, False, False)
    assert settings.accounts == ("123456789012",)
    assert settings.data == HOME / ".local/share/trailstate"
    assert settings.source("port") == "default"


def test_flags_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "trailstate.toml").write_text("port = 1001\nregion = 'eu-central-1'\nhost = '127.0.0.2'\n")

    settings = load(tmp_path, {"port": 1003, "host": None}, TRAILSTATE_PORT="1002", TRAILSTATE_REGION="eu-west-1")

    assert (settings.port, settings.source("port")) == (1003, "--port")
    assert (settings.region, settings.source("region")) == ("eu-west-1", "TRAILSTATE_REGION")
    assert (settings.host, settings.source("host")) == ("127.0.0.2", str(tmp_path / "trailstate.toml"))
    assert settings.source("estate") == "default"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TESTING", "yes", True),
        ("TESTING", "0", False),
        ("ACCOUNTS", "111111111111, 222222222222,111111111111", ("111111111111", "222222222222")),
        ("ESTATE", "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("IDLE_TIMEOUT_SECONDS", "2.5", 2.5),
        ("DATA", "~/trail", HOME / "trail"),
    ],
)
def test_variables_are_text_and_settings_are_typed(tmp_path: Path, name: str, text: str, expected: object) -> None:
    settings = load(tmp_path, **{f"TRAILSTATE_{name}": text})

    assert getattr(settings, name.lower()) == expected


def test_the_file_holds_tomls_own_types(tmp_path: Path) -> None:
    (tmp_path / "trailstate.toml").write_text(
        "accounts = ['111111111111', '222222222222']\ntesting = true\nclock_start = 2026-01-15T10:30:00+01:00\n"
    )

    settings = load(tmp_path)

    assert settings.accounts == ("111111111111", "222222222222")
    assert settings.clock_start == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def test_a_relative_directory_starts_at_the_working_directory(tmp_path: Path) -> None:
    assert load(tmp_path, {"data": Path("lab")}).data == tmp_path / "lab"


def test_xdg_directories_are_followed(tmp_path: Path) -> None:
    shared = tmp_path / "shared" / "trailstate"
    shared.mkdir(parents=True)
    (shared / "trailstate.toml").write_text("port = 1004\n")

    settings = load(tmp_path, XDG_DATA_HOME="/srv/data", XDG_CONFIG_HOME=str(tmp_path / "shared"))

    assert settings.data == Path("/srv/data/trailstate")
    assert settings.port == 1004


def test_a_program_that_brings_its_own_settings_reads_nobodys_file(tmp_path: Path) -> None:
    (tmp_path / "trailstate.toml").write_text("port = 1004\nopen = true\n")
    (tmp_path / "mine.toml").write_text("port = 1005\n")

    settings = load_settings({}, {}, directory=tmp_path, home=tmp_path, looks_for_file=False)
    named = load_settings({"config": "mine.toml"}, {}, directory=tmp_path, home=tmp_path, looks_for_file=False)

    assert (settings.port, settings.open) == (4566, False)
    assert named.port == 1005


def test_the_named_file_is_the_only_one_read(tmp_path: Path) -> None:
    (tmp_path / "trailstate.toml").write_text("port = 1001\nregion = 'eu-west-1'\n")
    (tmp_path / "other.toml").write_text("port = 1005\n")

    by_variable = load(tmp_path, TRAILSTATE_CONFIG="other.toml")
    by_flag = load(tmp_path, {"config": Path("other.toml")}, TRAILSTATE_CONFIG="absent.toml")

    assert (by_variable.port, by_variable.region) == (1005, "us-east-1")
    assert by_flag.port == 1005


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"TRAILSTATE_PROT": "1"},
            "The variable TRAILSTATE_PROT is not a setting; did you mean 'TRAILSTATE_PORT'?",
        ),
        (
            {"TRAILSTATE_PORT": "http"},
            "The setting 'port' (TRAILSTATE_PORT) must be a whole number from 0 to 65535; found 'http'.",
        ),
        (
            {"TRAILSTATE_ACCOUNTS": "12345"},
            "'accounts' (TRAILSTATE_ACCOUNTS) must be one or more account numbers of 12 digits; found '12345'.",
        ),
        (
            {"TRAILSTATE_DATA_EVENTS": "some"},
            "The setting 'data_events' (TRAILSTATE_DATA_EVENTS) must be one of selected, all, none; found 'some'.",
        ),
        ({"TRAILSTATE_ESTATE": "ftp://example.org"}, "must be 'embedded' or the URL of an AWS endpoint"),
        ({"TRAILSTATE_IDLE_TIMEOUT_SECONDS": "nan"}, "must be a number of seconds above 0"),
        (
            {"TRAILSTATE_CLOCK_START": "2026-01-15T09:30:00", "TRAILSTATE_TESTING": "1"},
            "must be a time with its offset",
        ),
        ({"TRAILSTATE_CLOCK_START": "2026-01-15T09:30:00Z"}, "needs 'testing'"),
        ({"TRAILSTATE_CONFIG": "absent.toml"}, "absent.toml cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path, **environment)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1\n", "has an unknown setting 'prot'; did you mean 'port'?"),
        ("port = true\n", "must be a whole number from 0 to 65535; found True."),
        ("port = 1.5\n", "must be a whole number from 0 to 65535; found 1.5."),
        ("[server]\nport = 1\n", "has an unknown setting 'server'"),
        ("port = \n", "is not TOML: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_path(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "trailstate.toml").write_text(text)

    with pytest.raises(SettingsError) as refusal:
        load(tmp_path)

    assert sentence in str(refusal.value)
    assert str(tmp_path / "trailstate.toml") in str(refusal.value)


def test_an_unknown_flag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no setting 'accouns'; did you mean 'accounts'"):
        load(tmp_path, {"accouns": ("123456789012",)})


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, TRAILSTATE_SAMPLES="/somewhere", TRAILSTATE_PROTOCOL_CASES="/elsewhere") == load(tmp_path)


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("example.org", False),
    ],
)
def test_only_this_machine_reaches_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


def test_the_reference_has_a_row_for_every_setting() -> None:
    rows = [line for line in reference.settings().splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == list(KINDS)
    assert all(len(row.split(" | ")) == 5 for row in rows)
