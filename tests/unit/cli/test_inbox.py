"""`trailstate inbox` reads the mailbox of a data directory."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from typer.testing import CliRunner

from trailstate.cli.main import app
from trailstate.watch.mail import Inbox


def run(data: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["inbox", *words, "--data", str(data)])
    return done.exit_code, done.output


def post(data: Path, number: str, subject: str, body: str) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "no-reply@sns.trailstate", "ops@example.com", subject
    letter["Date"] = "Thu, 15 Jan 2026 09:30:00 +0000"
    letter["Message-ID"] = f"<{number}@sns.trailstate>"
    letter.set_content(body)
    Inbox(data / "inbox").post(letter, datetime(2026, 1, 15, 9, 30, int(number), tzinfo=UTC))


def test_letters_are_listed_and_shown(tmp_path: Path) -> None:
    assert run(tmp_path, "list") == (0, "No letter has come.\n")
    for number, subject in (("1", "first"), ("2", "second")):
        post(tmp_path, number, subject, f"this is {subject}\x1b[2J")
    code, listed = run(tmp_path, "list")
    assert (code, [line.split()[-1] for line in listed.splitlines()]) == (0, ["subject", "first", "second"])
    assert "this is second\\x1b[2J" in run(tmp_path, "show")[1]
    assert "this is first" in run(tmp_path, "show", "1")[1]
    assert run(tmp_path, "show", "nothing")[0] != 0


def test_a_letter_posted_again_is_the_same_letter(tmp_path: Path) -> None:
    for _ in range(2):
        post(tmp_path, "1", "once", "x")
    assert len(list(Inbox(tmp_path / "inbox").letters())) == 1
