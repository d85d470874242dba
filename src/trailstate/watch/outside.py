"""Receivers outside: web addresses and a mail server, by the one client of each kind.

https://docs.aws.amazon.com/sns/latest/dg/http-header.html
https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.retry.html
"""

import json
from datetime import datetime
from email.message import EmailMessage
from http import HTTPStatus
from typing import Any

from trailstate.outbound.address import Forbidden
from trailstate.outbound.http import Http, Unanswered
from trailstate.outbound.smtp import MailRefused, MailUnanswered, Smtp
from trailstate.watch.distribute import Refused, Unreached, is_raw
from trailstate.watch.envelope import Seal, as_text
from trailstate.watch.topic import Document, Message

AGENT = "Amazon Simple Notification Service Agent"
CONTENT_TYPE = "text/plain; charset=UTF-8"


class Web:
    """Receivers with a web address."""

    def __init__(self, http: Http, seal: Seal) -> None:
        self._http = http
        self._seal = seal

    def send(self, message: Message, subscription: Document) -> None:
        is_request, raw = bool(message.token), is_raw(subscription)
        headers = {
            "x-amz-sns-message-type": "SubscriptionConfirmation" if is_request else "Notification",
            "x-amz-sns-message-id": message.id,
            "x-amz-sns-topic-arn": message.topic,
            "Content-Type": _content_type(subscription),
            "User-Agent": AGENT,
        }
        if not is_request:
            headers["x-amz-sns-subscription-arn"] = subscription["SubscriptionArn"]
        if raw and not is_request:
            headers["x-amz-sns-rawdelivery"] = "true"
            body = message.text_for(subscription["Protocol"])
        else:
            body = as_text(self._seal.enclose(message, subscription))
        try:
            status = self._http.post(subscription["Endpoint"], body.encode(), headers)
        except Forbidden as error:
            raise Refused(str(error)) from error
        except Unanswered as error:
            raise Unreached(str(error)) from error
        _judge(status)


def _judge(status: int) -> None:
    """What the receiver's answer means: an error of its own may pass, anything else but success will not."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unreached(f"the receiver answered {status}")
    raise Refused(f"the receiver answered {status}")


def _content_type(subscription: Document) -> str:
    policy: dict[str, Any] = json.loads(subscription["Attributes"].get("DeliveryPolicy") or "{}")
    asked = (policy.get("requestPolicy") or {}).get("headerContentType")
    return asked if isinstance(asked, str) and asked.isprintable() else CONTENT_TYPE


class MailServer:
    """Takes letters to the mail server."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp

    def post(self, letter: EmailMessage, _moment: datetime) -> None:
        try:
            self._smtp.post(letter)
        except MailRefused as error:
            raise Refused(str(error)) from error
        except MailUnanswered as error:
            raise Unreached(str(error)) from error
