"""Messages as e-mail: what a person reads, and the mailbox on disk that takes it where no mail server is set.

https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html · RFC 5322

The mailbox is a directory with one message a file. It holds the newest ones alone.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from trailstate.watch.envelope import Seal, as_text
from trailstate.watch.topic import Document, Message

SUBJECT = "AWS Notification Message"
CONFIRM_SUBJECT = "AWS Notification - Subscription Confirmation"
RULE = "--"
INBOX_PATH = "/_trailstate/inbox"
"""The operator's page that shows the mailbox."""
MESSAGES_MAX = 1000


class Postman(Protocol):
    """Takes a letter to its reader. Raises `distribute.Unreached` and `distribute.Refused`."""

    def post(self, letter: EmailMessage, moment: datetime) -> None: ...


class Mail:
    """Receivers with an e-mail address."""

    def __init__(self, seal: Seal, postman: Postman, sender: str) -> None:
        self._seal = seal
        self._postman = postman
        self._sender = sender

    def send(self, message: Message, subscription: Document) -> None:
        letter = EmailMessage(policy=SMTP)
        letter["From"] = self._sender
        letter["To"] = subscription["Endpoint"]
        letter["Subject"] = CONFIRM_SUBJECT if message.token else message.subject or SUBJECT
        moment = datetime.fromisoformat(message.time)
        letter["Date"] = format_datetime(moment)
        number = hashlib.sha256(f"{message.id}/{subscription['SubscriptionArn']}".encode()).hexdigest()[:32]
        letter["Message-ID"] = f"<{number}@sns.trailstate>"
        letter.set_content(self._text(message, subscription))
        self._postman.post(letter, moment)

    def _text(self, message: Message, subscription: Document) -> str:
        if subscription["Protocol"] == "email-json":
            return as_text(self._seal.enclose(message, subscription)) + "\n"
        if message.token:
            return (
                f"You have chosen to subscribe to the topic:\n{message.topic}\n\nTo confirm this subscription, visit\n"
                f"{self._seal.confirm_url(message)}\n\nIf you did not ask for it, do nothing.\n"
            )
        return (
            f"{message.text_for('email')}\n\n{RULE}\nTo stop receiving messages of this topic, visit\n"
            f"{self._seal.unsubscribe_url(subscription)}\n"
        )


class Inbox:
    """The mailbox in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def post(self, letter: EmailMessage, moment: datetime) -> None:
        """Keep the letter, once however often it is posted; `moment` is its place among the others."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{moment:%Y%m%dT%H%M%S%fZ}-{_number(letter)[:8]}.eml"
        fresh = self._directory / f".{name}.new"
        fresh.write_bytes(letter.as_bytes())
        fresh.replace(self._directory / name)
        for old in self._files()[:-MESSAGES_MAX]:
            old.unlink(missing_ok=True)

    def letters(self) -> Iterator[dict[str, Any]]:
        """What came, oldest first."""
        for path in self._files():
            letter = BytesParser(policy=default).parsebytes(path.read_bytes())
            body = letter.get_body(("plain",))
            yield {
                "id": path.stem.rpartition("-")[2],
                "time": parsedate_to_datetime(letter["Date"]).isoformat(),
                "to": str(letter["To"]),
                "from": str(letter["From"]),
                "subject": str(letter["Subject"]),
                "body": body.get_content() if body is not None else "",
            }

    def empty(self) -> None:
        for path in self._files():
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("*.eml"))


def _number(letter: EmailMessage) -> str:
    return str(letter["Message-ID"]).strip("<>").partition("@")[0]
