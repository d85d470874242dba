"""The language of advanced queries: what is one, what is none, and where it says so."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.unit.configuration.query.holdings import HOME, Holdings, an_item

from trailstate.configuration.query.lex import InvalidExpression
from trailstate.configuration.query.parse import parse
from trailstate.configuration.query.tree import Aggregate, And, Compare, Not, Or, Property

SAMPLES = os.environ.get("TRAILSTATE_SAMPLES")
QUERIES = Path(SAMPLES or "") / ".." / "config" / "advanced-queries.json"
NAME = Property(("resourceName",))


def test_or_binds_less_than_and_and_not_most() -> None:
    condition = parse("SELECT * WHERE resourceName = 'a' OR NOT resourceName = 'b' AND resourceName = 'c'").where
    a, b, c = (Compare(NAME, "=", each) for each in "abc")
    assert condition == Or((a, And((Not(b), c))))


def test_keywords_have_no_case_and_quotes_are_doubled() -> None:
    query = parse("select count(*) where resourceName = 'it''s' group by resourceType order by resourceType desc")
    assert query.where == Compare(NAME, "=", "it's")
    assert query.select == (Aggregate("COUNT", None),)
    assert query.order[0].descends


REFUSED = {
    "SELECT * FROM resources": "line 1, column 10.*FROM is not supported",
    "SELECT resourceId AS id": "AS is not supported",
    "SELECT DISTINCT resourceType": "DISTINCT is not supported",
    "SELECT ALL resourceType": "ALL is not supported",
    "SELECT resourceId\nWHERE resourceName = NULL": "line 2, column 22.*NULL is not supported",
    "SELECT resourceId WHERE resourceName IS NULL": "column 38",
    "SELECT resourceId JOIN resourceName": "JOIN is not supported",
    "SELECT resourceId UNION SELECT resourceId": "UNION is not supported",
    "SELECT resourceType, COUNT(*) GROUP BY resourceType HAVING COUNT(*) > 1": "HAVING is not supported",
    "SELECT CASE WHEN awsRegion = 'us-east-1' THEN 1 ELSE 2 END": "CASE is not supported",
    "SELECT resourceId LIMIT 5": "LIMIT is not supported",
    "SELECT": "expected a property, found the end",
    "": "expected SELECT",
    "SELECT resourceId WHERE": "expected a property",
    "SELECT resourceId WHERE resourceId": "expected =",
    "SELECT resourceId WHERE resourceId = resourceName": "expected a text in single quotes",
    'SELECT resourceId WHERE resourceId = "x"': "column 38",
    "SELECT resourceId WHERE resourceId = 'x": "column 38",
    "SELECT resourceId WHERE (resourceId = 'x'": "expected '\\)'",
    "SELECT resourceId; DROP TABLE query_resource": "column 18",
    "SELECT resourceId WHERE resourceType LIKE '%::EC2'": "suffix wildcards",
    "SELECT resourceId WHERE resourceType LIKE '_::EC2'": "suffix wildcards",
    "SELECT resourceId WHERE resourceType LIKE 'ab%'": "at least 3 characters",
    "SELECT resourceId WHERE 'resource%' LIKE 'abc%'": "expected a property",
    "SELECT COUNT(resourceId, resourceType)": "one property",
    "SELECT MAX(COUNT(*)) GROUP BY accountId": "no other function",
    "SELECT SUM(*)": "only COUNT",
    "SELECT COUNT(*), awsRegion": "must be in GROUP BY",
    "SELECT * GROUP BY awsRegion": "cannot be grouped",
    "SELECT COUNT(*) GROUP BY accountId, awsRegion, resourceType, availabilityZone": "at most 3",
    "SELECT COUNT(*) GROUP BY accountId, awsRegion ORDER BY COUNT(*)": "one property when ORDER BY",
    "SELECT configuration.dbclusterIdentifier, configuration.dBClusterIdentifier": "Mismatched identifiers",
    "SELECT configuration.ipAddress WHERE configuration.ipaddressPermissions = 'x'": "Mismatched identifiers",
    "SELECT owner": "no property 'owner'",
    "SELECT resourceId.name": "nothing below",
    "SELECT recordingFrequency": "not supported by Trailstate yet",
    "SELECT * WHERE " + "(" * 60 + "resourceId = 'x'" + ")" * 60: "deeper than 50",
    "SELECT * WHERE " + "NOT " * 60 + "resourceId = 'x'": "deeper than 50",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_supported_is_refused_by_name(expression: str) -> None:
    with pytest.raises(InvalidExpression, match=f"(?s){REFUSED[expression]}"):
        parse(expression)


PIECES = some.sampled_from(
    [
        "SELECT",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "LIKE",
        "(",
        ")",
        ",",
        "*",
        "=",
        "!=",
        "'x'",
        "'abc%'",
        "12",
        "1.5",
        "true",
        "resourceId",
        "tags.key",
        "configuration.a",
        "COUNT",
        "ASC",
        "NULL",
        "'",
        '"',
        ";",
        "--",
        "\n",
    ]
)


@given(some.one_of(some.text(max_size=60), some.lists(PIECES, max_size=20).map(" ".join)))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    message = refusal(text)
    assert message is None or len(message) > 10


def refusal(expression: str) -> str | None:
    try:
        parse(expression)
    except InvalidExpression as error:
        return str(error)
    return None


@pytest.mark.skipif(
    SAMPLES is None or not QUERIES.is_file(),
    reason="TRAILSTATE_SAMPLES names no directory with published queries beside it",
)
def test_published_queries_are_accepted_and_documented_limits_refused() -> None:
    published = msgspec.json.decode(QUERIES.read_bytes())
    surprises = [each for each, note in published if (refusal(each) is None) == note.startswith("INVALID")]
    assert surprises == []
    assert len(published) >= 49
    held = Holdings()
    held.put(an_item("AWS::EC2::Volume", "vol-1", {"size": 8}))
    answered = [held.ask(each) for each, note in published if not note.startswith("INVALID")]
    assert [{"COUNT(*)": 1, "accountId": HOME.account}] in answered
