"""Requests and answers without a web framework between are what they were with it: held against Flask itself."""

import io
from typing import Any

import flask
import pytest
from moto.core.request import Request
from moto.moto_server.werkzeug_app import BackendRequest
from requests.structures import CaseInsensitiveDict

from trailstate.estate.child.direct import Asked, Handlers, NoRoute, called, headers_of, sent
from trailstate.estate.child.environ import environ_of
from trailstate.estate.frames import Serve

FORM = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")


def an_environ(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> dict[str, Any]:
    frame = Serve(method, target, list(headers), body, "127.0.0.1", "s3", "", "1" * 12, "us-east-1", 0, 0)
    return environ_of(frame, io.BytesIO(body), len(body))


REQUESTS = {
    "a form": ("POST", "/", FORM, ("host", "localhost:4566"), b"Action=A&B=%C3%A9&B=2&C="),
    "a form that is no text": ("POST", "/", FORM, b"Action=\xff"),
    "no form where an object is put": ("PUT", "/b/k", FORM, b"a=b"),
    "json": ("POST", "/x?y=1", ("content-type", "application/x-amz-json-1.1"), b'{"a": 1}'),
    "an upload": (
        "POST",
        "/b",
        ("content-type", "multipart/form-data; boundary=x"),
        b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x--\r\n',
    ),
    "a type that is empty": ("POST", "/", ("content-type", ""), b"a=b"),
    "metadata with an underscore": ("PUT", "/b/k", ("x-amz-meta-my_key", "1"), ("X-Amz-Meta-My-Other", "2"), b""),
    "a key with all sorts": ("GET", "/b//a%2Fb%20c+d/%C3%A9?x=%2B+&x=2&empty", ("host", "B.s3.example:80"), b""),
    "a host that is none": ("GET", "/", ("host", "<>"), b""),
    "no slash": ("OPTIONS", "*", b""),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_reads_as_it_did(name: str) -> None:
    method, target, *headers, body = REQUESTS[name]
    now = Asked(an_environ(method, target, *headers, body=body))
    before = BackendRequest(an_environ(method, target, *headers, body=body))
    assert vars(now).keys() >= vars(Request(an_environ(method, target, body=body))).keys()
    with flask.Flask("moto").app_context():
        for part in ("data", "form", "files", "args", "raw_path", "raw_url", "path", "host", "mimetype"):
            assert getattr(now, part) == getattr(before, part), part
        assert list(now.values.items(multi=True)) == list(before.values.items(multi=True))
        for name in ("B", "C", "x", "absent"):
            assert now.values.get(name, "none") == before.values.get(name, "none")
            assert now.values.getlist(name) == before.values.getlist(name)
    assert list(headers_of(now.environ).items()) == list(before.headers)


ANSWERS = {
    "text": (200, {"content-type": "text/xml"}, "é"),
    "untyped": (200, {"server": "amazon.com", "status": 200}, b"x"),
    "no headers": (200, {}, ""),
    "nothing": (200, {}, None),
    "deleted": (204, {"x": "y", "content-length": "5"}, "gone"),
    "not modified": (304, {"Content-Type": "a/b", "etag": "e"}, "gone"),
    "elsewhere": (301, {"Location": "http://é/"}, ""),
    "numbers": (206, {"content-length": 999, "Content-Range": 1}, b"part"),
    "twice": (200, {"Content-Type": "a/b", "content-type": "c/d"}, b"x"),
    "lists": (200, {"x": ["1", "2"]}, b"x"),
    "absent": (200, {"x": None}, b"x"),
    "another mapping": (200, CaseInsensitiveDict({"Content-Length": "7"}), b"x"),
    "streamed": (200, {}, [b"a", b"b"]),
    "status as text": ("404 Not Here", {}, b"x"),
    "unknown status": (299, {}, b"x"),
    "lines": (200, {"x": "a\nb"}, b"x"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_goes_out_as_it_did(name: str, method: str) -> None:
    status, headers, content = ANSWERS[name]
    asked = Asked(an_environ(method, "/"))

    def before() -> object:
        response = flask.Response(content, status, headers)
        if method == "HEAD" and "content-length" in headers:
            response.headers["Content-Length"] = headers["content-length"]
        return called(response, asked.environ)

    assert outcome(lambda: sent(asked, status, headers, content)) == outcome(before)


def outcome(make: Any) -> object:
    try:
        return make()
    except ValueError as error:
        return str(error)


def test_a_path_that_nobody_serves_has_no_route() -> None:
    application = flask.Flask("moto")
    application.url_map = type(application.url_map)()
    with pytest.raises(NoRoute, match="no operation under GET /nowhere"):
        Handlers(application).answer(an_environ("GET", "/nowhere"))
