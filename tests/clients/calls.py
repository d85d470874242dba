"""A client's call beside what was recorded of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from trailstate.testing import Lab


class Recorded(NamedTuple):
    """What the client saw, and the records that were new when it had its answer."""

    answer: Any
    records: list[dict[str, Any]]

    @property
    def request_id(self) -> str:
        """As the client reports it; botocore's CBOR reader leaves it among the headers."""
        told = self.answer["ResponseMetadata"]
        return str(told.get("RequestId") or told["HTTPHeaders"]["x-amzn-requestid"])


def recorded_during(lab: Lab, call: Callable[[], Any]) -> Recorded:
    """Make a call; one that is refused answers with its error."""
    before = len(lab.recorded())
    try:
        answer = call()
    except ClientError as refused:
        answer = refused.response
    return Recorded(answer, lab.recorded()[before:])


def only_record(done: Recorded) -> dict[str, Any]:
    """The one record of a call that succeeded, which names the request as the client does."""
    assert "Error" not in done.answer, done.answer["Error"]
    (record,) = done.records
    assert "errorCode" not in record
    assert record["requestID"] == done.request_id
    return record
