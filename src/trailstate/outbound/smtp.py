"""The one way out for e-mail: the mail server that the settings name (RFC 5321, RFC 3207)."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

TIMEOUT_SECONDS = 20
PERMANENT = range(500, 600)


class MailRefused(Exception):
    """The server will not take the letter, now or later."""


class MailUnanswered(Exception):
    """The server cannot be reached, or cannot take the letter now."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server."""

    host: str
    port: int
    security: str
    """starttls, tls or none."""
    user: str = ""
    password_file: Path | None = None

    def post(self, letter: EmailMessage) -> None:
        """Hand the letter over. Raises MailRefused and MailUnanswered."""
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self._password())
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _failure(code, words) from error
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnanswered(f"{self.host}:{self.port}: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        return server

    def _password(self) -> str:
        return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else ""


def _failure(code: int, words: bytes | str) -> Exception:
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return (MailRefused if code in PERMANENT else MailUnanswered)(f"{code} {told}")
