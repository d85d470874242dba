"""Sends a request byte for byte over a socket, and says what is wrong with the answer, if anything is."""

import http.client
import json
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import cbor2

from trailstate.wire import model
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.wire.parse import UNREADABLE, parse

TIMEOUT_SECONDS = 10
FORMS = {
    "application/x-amz-json-1.0": "json",
    "application/x-amz-json-1.1": "json",
    "application/json": "json",
    "text/xml": "xml",
    "application/xml": "xml",
    "application/cbor": "cbor",
}
FORM_OF = {
    "json": "json",
    "rest-json": "json",
    "query": "xml",
    "ec2": "xml",
    "rest-xml": "xml",
    "smithy-rpc-v2-cbor": "cbor",
}


class Client:
    """One connection, made anew when the server closed it."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)

    def send(self, request: WireRequest) -> WireResponse:
        """The answer; TimeoutError or HTTPException when there is none."""
        try:
            return self._sent(request)
        except (ConnectionError, http.client.RemoteDisconnected):
            self._connection.close()  # an idle connection may have been closed after a refusal; once more on a new one
            return self._sent(request)

    def _sent(self, request: WireRequest) -> WireResponse:
        connection = self._connection
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name != "content-length":
                    connection.putheader(name, value.encode("latin-1"))
            connection.putheader("content-length", str(len(request.body)))
            connection.endheaders(request.body)
            answer = connection.getresponse()
            body = answer.read()
        except BaseException:
            connection.close()
            raise
        headers = tuple((name.lower(), value) for name, value in answer.getheaders())
        return WireResponse(answer.status, headers, body)

    def close(self) -> None:
        self._connection.close()


def html(response: WireResponse) -> bool:
    start = response.body[:200].lower().lstrip()
    return "text/html" in content_type(response) or start.startswith((b"<!doctype", b"<html"))


def content_type(response: WireResponse) -> str:
    return next((value for name, value in response.headers if name == "content-type"), "")


def code_of(response: WireResponse) -> str:
    """The error code, read strictly in the form the content type states; ValueError when it is not that form."""
    form = FORMS.get(content_type(response).partition(";")[0].strip())
    if form is None:
        raise ValueError(f"expected one of {sorted(FORMS)}, found the content type '{content_type(response)}'")
    return _CODES[form](response)


def _json_code(response: WireResponse) -> str:
    said = json.loads(response.body)
    header = next((value for name, value in response.headers if name == "x-amzn-errortype"), "")
    return _named(header or said["__type"], said.get("message", said.get("Message")))


def _xml_code(response: WireResponse) -> str:
    root = ET.fromstring(response.body)
    return _named(_text(root, "Code"), _text(root, "Message"))


def _text(root: ET.Element, name: str) -> str | None:
    return next((each.text or "" for each in root.iter() if each.tag.rpartition("}")[2] == name), None)


def _cbor_code(response: WireResponse) -> str:
    said = cbor2.loads(response.body)
    return _named(said["__type"], said.get("message", said.get("Message")))


def _named(code: object, message: object) -> str:
    if not isinstance(code, str) or not code or not isinstance(message, str):
        raise ValueError(f"expected a code and a message, found {code!r} and {message!r}")
    return code


_CODES = {"json": _json_code, "xml": _xml_code, "cbor": _cbor_code}


def complaint(service: str, operation: str, protocol: str, method: str, response: WireResponse) -> str | None:
    """What a client of AWS could not live with in this answer; None when there is nothing.

    Without a `protocol`, any of AWS's forms will do.
    """
    is_an_object = service == "s3" and method in ("GET", "HEAD") and response.status < 300
    if html(response) and not is_an_object:
        return f"HTML: {response.body[:200]!r}"
    if method == "HEAD" or response.status in (204, 304):
        return f"a body of {len(response.body)} bytes" if response.body else None
    if response.status < 300:
        return _result_complaint(service, operation, protocol, response) if protocol else None
    try:
        code_of(response)
    except (ValueError, LookupError, TypeError, AttributeError, ET.ParseError) as error:
        return f"no error form ({response.status}, {error!r}): {response.body[:200]!r}"
    form = FORMS[content_type(response).partition(";")[0].strip()]
    if protocol and form != FORM_OF[protocol]:
        return f"expected an error in the form of {protocol}, found {form}: {response.body[:200]!r}"
    return None


def _result_complaint(service: str, operation: str, protocol: str, response: WireResponse) -> str | None:
    _, failure = parse(service, model.operation_model(service, operation), protocol, response)
    return failure.message if failure is not None and failure.code == UNREADABLE else None
