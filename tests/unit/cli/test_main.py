"""The command as a whole: help that answers at once, documented endings, and sentences instead of tracebacks."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from trailstate.cli.exit import MEANINGS, ExitCode
from trailstate.cli.main import app
from trailstate.cli.terminal import table, visible

HEAVY = ("asyncio", "boto3", "botocore", "cryptography", "http.client", "msgspec", "rich", "sqlite3", "uvloop")
VERBS = tuple(getattr(get_command(app), "commands"))  # noqa: B009 - the group's own table, which typer does not type


def test_help_lists_every_exit_code() -> None:
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == ExitCode.OK
    assert all(f"{code.value:>3}  {MEANINGS[code]}" in result.stdout for code in ExitCode)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"])

    assert result.exit_code == ExitCode.OK
    assert "Example" in result.stdout
    assert f"trailstate {verb}" in result.stdout.partition("Example")[2]


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['trailstate', '--help']\n"
        "from trailstate.cli.main import main\n"
        "try: main()\n"
        f"except SystemExit: sys.exit(' '.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (answer.stderr, answer.returncode) == ("", 0)


def test_a_misspelt_verb_is_a_usage_error_with_a_hint() -> None:
    result = CliRunner().invoke(app, ["doctr"])

    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean 'doctor'?" in result.stderr


def test_a_wrong_setting_is_one_sentence() -> None:
    result = CliRunner().invoke(app, ["env"], env={"TRAILSTATE_PORT": "many"})

    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""
    assert result.stderr.strip() == (
        "The setting 'port' (TRAILSTATE_PORT) must be a whole number from 0 to 65535; found 'many'."
    )


@pytest.mark.parametrize("verb", [["up"], ["import", "."]], ids=lambda verb: verb[0])
def test_a_directory_that_is_a_file_is_named(tmp_path: Path, verb: list[str]) -> None:
    taken = tmp_path / "taken"
    taken.touch()

    result = CliRunner().invoke(app, [*verb, "--data", str(taken)])

    assert result.exit_code == ExitCode.NO
    assert result.stderr.strip() == f"'{taken}' cannot be used: File exists."


def test_what_an_extra_brings_is_named_with_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.argv = ['trailstate', 'demo']; sys.modules['boto3'] = None\n"
        "from trailstate.cli.main import main\n"
        "main()"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert answer.returncode == ExitCode.NO
    assert answer.stderr == "This needs boto3, which is not installed here: pip install 'trailstate[lab]'.\n"


@pytest.mark.parametrize(("debug", "shown"), [({}, False), ({"TRAILSTATE_DEBUG": "1"}, True)])
def test_a_failure_nobody_foresaw_is_a_sentence_too(debug: dict[str, str], shown: bool) -> None:
    program = (
        "import sys; sys.argv = ['trailstate', 'stumble']\n"
        "from trailstate.cli.main import app, main\n"
        "@app.command()\n"
        "def stumble() -> None: raise LookupError('nothing there')\n"
        "main()"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=debug)

    assert answer.returncode == ExitCode.NO
    assert "LookupError: nothing there" in answer.stderr
    assert ("Traceback" in answer.stderr) is shown


def test_a_reader_that_leaves_is_no_failure(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'from trailstate.cli.main import main; main()' env --data {tmp_path}; echo $? >&2"

    answer = subprocess.run(
        ["sh", "-c", f"{{ {command}; }} | true"],
        capture_output=True,
        text=True,
        check=True,
        env={"TRAILSTATE_PORT": "1"},
    )

    assert "Traceback" not in answer.stderr
    assert "Broken" not in answer.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("grüße 東京 👍", "grüße 東京 👍"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\tb\nc", r"a\tb\nc"),
        ("safe\u202etxt.exe", r"safe\u202etxt.exe"),
        ("\x9b31m", r"\x9b31m"),
        ("\ud800", r"\ud800"),
    ],
)
def test_text_of_strangers_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_piped_table_cuts_nothing_off() -> None:
    arn = "arn:aws:iam::123456789012:role/" + "long" * 40

    lines = table(("when", "arn"), [("now", arn)]).splitlines()

    assert lines == ["when  arn", f"now   {arn}"]


def test_a_cell_is_text_and_never_markup() -> None:
    assert "[bold]x[/bold] :smile:" in table(("name",), [("[bold]x[/bold] :smile:",)])
