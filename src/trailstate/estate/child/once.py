"""What moto works out anew for each request, and which is the same each time, is worked out once.

Each of these was found by a profile of `bench.simulator`, and each holds moto to the shape it was written against.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from trailstate.estate.child import document, members
from trailstate.estate.child.sources import replace

REQUEST_ID = re.compile("<RequestId>.*</RequestId>")
TEXTS_KEPT = 256
NAMES_KEPT = 4096
"""Clients may name operations that do not exist, so not every name can be kept."""


def methods_are_named_once() -> None:
    """What a service's class answers is the same at every call; moto walks through all of its members each time, which
    is a seventh of what a request costs."""
    from moto.core import responses, utils

    replace(responses, "method_names_from_class", cache(utils.method_names_from_class))


def names_are_spelled_once() -> None:
    """The names of operations and attributes become Python's letter by letter, several times a request."""
    from moto.core import responses, utils

    spell = lru_cache(maxsize=NAMES_KEPT)(utils.camelcase_to_underscores)
    for place in (responses, utils):
        replace(place, "camelcase_to_underscores", spell)


def request_ids_are_one_draw() -> None:
    """moto draws each of fifty-two letters of an id that the house replaces by its own, and looks for its place in the
    answer from every character of it."""
    from moto.core.responses import BaseResponse
    from moto.moto_api._internal import mock_random

    def enriched(headers: dict[str, Any], body: Any) -> tuple[dict[str, Any], Any]:
        if "status" in headers:
            headers["status"] = str(headers["status"])
        drawn = headers["x-amzn-requestid"] = f"{mock_random.getrandbits(208):052X}"
        if isinstance(body, str) and "<RequestId>" in body:
            body = REQUEST_ID.sub(f"<RequestId>{drawn}</RequestId>", body)
        return headers, body

    replace(BaseResponse, "_enrich_response", staticmethod(enriched))


def who_and_where_are_read_once() -> None:
    """Who calls, and from where, is sought in the same few headers by patterns that look at every character of them."""
    from moto.core import responses
    from moto.core.responses import BaseResponse
    from moto.utilities import utils

    for name in ("access_key_regex", "region_from_useragent_regex"):
        replace(BaseResponse, name, Remembering(getattr(BaseResponse, name)))
    partition = lru_cache(maxsize=NAMES_KEPT)(utils.get_partition)
    for place in (responses, utils):
        replace(place, "get_partition", partition)


class Remembering:
    """A pattern that knows what it found in a text that comes again."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.search = lru_cache(maxsize=TEXTS_KEPT)(pattern.search)


def accounts_are_found_at_once() -> None:
    """An account that is there is looked up; moto lists all accounts and all services' stores first, several times a
    request."""
    from moto.core.base_backend import BackendDict

    make = BackendDict.__getitem__

    def of_account(self: Any, account_id: str) -> Any:
        found = dict.get(self, account_id)
        return make(self, account_id) if found is None else found

    replace(BackendDict, "__getitem__", of_account)


def documents_are_written_directly() -> None:
    """From here on moto's serializers write XML by `document`."""
    from moto.core import serialize

    library = vars(serialize)["xmltodict"]
    replace(library, "unparse", document.writer(library.unparse))


AT_START: tuple[Callable[[], None], ...] = (
    methods_are_named_once,
    names_are_spelled_once,
    request_ids_are_one_draw,
    who_and_where_are_read_once,
    accounts_are_found_at_once,
    documents_are_written_directly,
    members.members_are_sought_by_known_names,
)
