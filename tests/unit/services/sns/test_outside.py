"""Receivers outside: web pages that answer, fail, hang or refuse, and a real mail server."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from tests.clients.receivers import a_queue

from trailstate.testing import Lab, lab


class Page:
    """A web page that keeps what it was sent, and answers with the next of `answers` (200 when there is none); while it
    hangs it answers nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], str]] = []
        self.answers: list[int] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                page.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                page.goes_on.wait()
                self.send_response(page.answers.pop(0) if page.answers else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()


class Post:
    """A mail server's hands."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.busy = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.busy:
            self.busy -= 1
            return "451 come back later"
        self.letters.append(envelope.content)
        return "250 taken"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"


POST = Post()


@pytest.fixture(scope="module")
def mail_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def aws(mail_port: int) -> Iterator[Lab]:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": mail_port, "smtp_security": "none"}
    with lab(outbound_allow="127.0.0.0/8", outbound_timeout_seconds=1, **mail) as started:
        yield started


@contextmanager
def mail_server(port: int) -> Iterator[None]:
    controller = Controller(POST, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    yield made
    made.close()


def subscribed(aws: Lab, page: Page, name: str, **attributes: str) -> str:
    sns = aws.client("sns")
    topic = str(sns.create_topic(Name=name)["TopicArn"])
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=page.url, Attributes=attributes)
    aws.settle()
    ((headers, body),) = page.heard
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    sns.confirm_subscription(TopicArn=topic, Token=json.loads(body)["Token"])
    page.heard.clear()
    return topic


def test_a_web_page_gets_messages_after_it_confirmed(aws: Lab, page: Page) -> None:
    topic = subscribed(aws, page, "web")
    published = aws.client("sns").publish(TopicArn=topic, Message="hello")
    aws.settle()
    ((headers, body),) = page.heard
    assert json.loads(body)["Message"] == "hello"
    assert headers["x-amz-sns-message-id"] == published["MessageId"]
    assert headers["user-agent"] == "Amazon Simple Notification Service Agent"


def test_a_page_that_wants_it_raw_gets_the_text_alone(aws: Lab, page: Page) -> None:
    topic = subscribed(aws, page, "raw-web", RawMessageDelivery="true")
    aws.client("sns").publish(TopicArn=topic, Message="hello")
    aws.settle()
    ((headers, body),) = page.heard
    assert (body, headers["x-amz-sns-rawdelivery"]) == ("hello", "true")
    assert headers["x-amz-sns-message-type"] == "Notification"


def test_a_page_that_fails_is_tried_again_by_its_policy_and_then_given_up(aws: Lab, page: Page) -> None:
    sqs = aws.client("sqs")
    dead, arn = a_queue(aws, "dead", "sns")
    redrive = json.dumps({"deadLetterTargetArn": arn})
    topic = subscribed(aws, page, "failing", RedrivePolicy=redrive)
    page.answers = [500, 503, 429, 500]
    aws.client("sns").publish(TopicArn=topic, Message="hello")
    aws.settle()
    assert len(page.heard) == 1
    for tries in (2, 3, 4):
        aws.advance("20s")
        assert len(page.heard) == tries
    aws.advance("1h")
    assert len(page.heard) == 4
    (letter,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "hello"


def test_a_page_that_refuses_or_redirects_is_not_tried_again(aws: Lab, page: Page) -> None:
    topic = subscribed(aws, page, "refusing")
    page.answers = [403, 302]
    for text in ("one", "two"):
        aws.client("sns").publish(TopicArn=topic, Message=text)
    aws.advance("1h")
    assert len(page.heard) == 2


def test_a_page_that_hangs_holds_nobody_up_and_gets_its_message_later(aws: Lab, page: Page) -> None:
    topic = subscribed(aws, page, "hanging")
    url, arn = a_queue(aws, "beside", "sns")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    page.goes_on.clear()
    published = aws.client("sns").publish(TopicArn=topic, Message="hello")
    aws.settle()
    (message,) = aws.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["MessageId"] == published["MessageId"]
    page.goes_on.set()
    aws.advance("20s")
    aws.advance("1h")
    heard = [json.loads(body)["MessageId"] for _, body in page.heard]
    assert heard == [published["MessageId"]] * 2, "once unanswered, once more, and no third time"


def test_an_address_inside_is_never_reached(aws: Lab) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="inside")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://169.254.169.254/latest/meta-data/")
    aws.settle()
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"


def test_mail_goes_through_the_server_and_again_when_it_is_busy(aws: Lab, mail_port: int) -> None:
    with mail_server(mail_port):
        sns = aws.client("sns")
        topic = sns.create_topic(Name="mail")["TopicArn"]
        POST.busy = 1
        for address in ("ops@example.com", "nobody@example.com"):
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
        aws.settle()
        assert POST.letters == []
        aws.advance("10s")
        (asked,) = POST.letters
        letter = message_from_bytes(asked)
        assert (letter["To"], letter["From"]) == ("ops@example.com", "no-reply@sns.trailstate")
        found = re.search(r"Token=([0-9a-f]+)", letter.get_payload(decode=True).decode())  # type: ignore[union-attr]
        assert found is not None
        sns.confirm_subscription(TopicArn=topic, Token=found.group(1))
        sns.publish(TopicArn=topic, Message="hello", Subject="Grüße"[:3])
        aws.settle()
        assert b"hello" in POST.letters[-1]


def test_a_mail_server_that_is_down_gets_each_letter_once_when_it_is_back(aws: Lab, mail_port: int) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="mail-later")["TopicArn"]
    POST.letters.clear()
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    for _ in range(4):
        aws.advance("30s")
    assert POST.letters == []
    with mail_server(mail_port):
        aws.advance("10m")
        aws.advance("10m")
        (letter,) = POST.letters
    assert b"ConfirmSubscription" in letter
