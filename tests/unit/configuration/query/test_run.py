"""Advanced queries answered: conditions, arrays, ranges of addresses, groups, order, pages."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.unit.configuration.query.holdings import HOME, Holdings, an_index, an_item

from trailstate.configuration.query.answer import selected
from trailstate.configuration.query.hold import BODIES, COLUMNS
from trailstate.configuration.query.match import predicate
from trailstate.configuration.query.narrow import NOTHING_RULED_OUT
from trailstate.configuration.query.parse import parse
from trailstate.configuration.recorder import Home
from trailstate.stores.derived import Derived

GROUP, VOLUME, BUCKET, INSTANCE = (
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Volume",
    "AWS::S3::Bucket",
    "AWS::EC2::Instance",
)
ELSEWHERE = Home("444455556666", "us-east-1")


def a_group(name: str, *ranges: str) -> dict[str, Any]:
    return an_item(GROUP, name, {"ipPermissions": [{"ipRanges": [each]} for each in ranges]})


def a_volume(name: str, size: int, **configuration: Any) -> dict[str, Any]:
    return an_item(VOLUME, name, {"size": size, "encrypted": False, **configuration})


@pytest.fixture
def held() -> Holdings:
    made = Holdings()
    made.put(
        a_volume("vol-1", 8, state={"value": "available"}),
        a_volume("vol-2", 100, encrypted=True),
        a_volume("vol-3", 500),
        an_item(BUCKET, "logs", {}, tags={"CostCenter": "12345", "a.b": "c"}, resourceName="quicksilver-logs"),
        an_item(INSTANCE, "i-1", {"state": {"name": "running"}}, relationships=[related("sg-abcd1234")]),
    )
    return made


def related(name: str) -> dict[str, Any]:
    return {"resourceType": GROUP, "resourceId": name, "resourceName": None, "name": "Is associated with "}


CONDITIONS = {
    "resourceType = 'AWS::EC2::Instance'": ["i-1"],
    "resourceType != 'AWS::EC2::Volume'": ["logs", "i-1"],
    "resourceType LIKE 'AWS::EC2::Vol%'": ["vol-1", "vol-2", "vol-3"],
    "resourceId LIKE 'vol-_'": ["vol-1", "vol-2", "vol-3"],
    "resourceId LIKE 'vol_'": [],
    "resourceType IN ('AWS::EC2::Instance', 'AWS::S3::Bucket')": ["logs", "i-1"],
    "resourceType NOT IN ('AWS::EC2::Instance', 'AWS::S3::Bucket')": ["vol-1", "vol-2", "vol-3"],
    "configuration.size BETWEEN 8 AND 100": ["vol-1", "vol-2"],
    "configuration.size > 8": ["vol-2", "vol-3"],
    "configuration.size >= 8 AND configuration.size <= 8": ["vol-1"],
    "configuration.size = '100'": ["vol-2"],
    "configuration.encrypted = true": ["vol-2"],
    "configuration.encrypted = 'false'": ["vol-1", "vol-3"],
    "configuration.state.value = 'available'": ["vol-1"],
    "configuration.state.name = 'running' OR configuration.size = 500": ["vol-3", "i-1"],
    "tags.tag = 'CostCenter=12345'": ["logs"],
    "tags.key = 'a.b' AND tags.value = '12345'": ["logs"],
    "relationships.resourceId = 'sg-abcd1234'": ["i-1"],
    "relationships.relationshipName = 'Is associated with '": ["i-1"],
    "resourceName LIKE 'quicksilver%' AND awsRegion = 'us-east-1'": ["logs"],
    "accountId = 111122223333 AND configuration.size < 9": ["vol-1"],
    "NOT (awsRegion = 'us-east-1' OR awsRegion = 'us-west-2')": [],
    "configurationItemCaptureTime > '2026-01-15' AND resourceType = 'AWS::S3::Bucket'": ["logs"],
    "resourceId = 'it''s' OR resourceId = 'x'' OR 1=1 --'": [],
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(held: Holdings, condition: str) -> None:
    assert held.ids(condition) == CONDITIONS[condition]


def test_only_what_is_selected_comes_in_its_place(held: Holdings) -> None:
    found = held.ask("SELECT resourceId, configuration.state.value, tags.key WHERE resourceType LIKE 'AWS::EC2::Vol%'")
    assert found[0] == {"resourceId": "vol-1", "configuration": {"state": {"value": "available"}}, "tags": []}
    assert found[1] == {"resourceId": "vol-2", "tags": []}
    (bucket,) = held.ask("SELECT tags WHERE resourceId = 'logs'")
    assert bucket["tags"][0] == {"tag": "CostCenter=12345", "key": "CostCenter", "value": "12345"}


def test_the_star_stands_for_ten_scalars(held: Holdings) -> None:
    (found,) = held.ask("SELECT * WHERE resourceId = 'logs'")
    assert found == {
        "accountId": HOME.account,
        "availabilityZone": "Not Applicable",
        "awsRegion": "us-east-1",
        "configurationItemCaptureTime": "2026-01-15T09:30:00.000Z",
        "resourceId": "logs",
        "resourceName": "quicksilver-logs",
        "resourceType": BUCKET,
        "version": "1.3",
    }
    assert len(selected(parse("SELECT *"))) == 10


def test_each_condition_looks_at_all_elements_of_an_array() -> None:
    held = Holdings()
    rules = [{"configRuleName": "A", "complianceType": "compliant"}]
    rules.append({"configRuleName": "B", "complianceType": "non_compliant"})
    held.put(an_item("AWS::Config::ResourceCompliance", "r", {"configRuleList": rules}))
    asked = "configuration.configRuleList.complianceType = 'non_compliant' AND configuration.configRuleList."
    assert held.ids(asked + "configRuleName = 'A'") == ["r"]
    assert held.ids(asked + "configRuleName = 'C'") == []
    assert held.ids("NOT configuration.configRuleList.configRuleName = 'A'") == []


def test_an_address_equals_every_range_that_holds_it() -> None:
    held = Holdings()
    held.put(a_group("all", "0.0.0.0/0"), a_group("net", "10.0.0.0/24"), a_group("one", "192.168.0.2/32"))
    ranges = "configuration.ipPermissions.ipRanges"
    assert held.ids(f"{ranges} = '10.0.0.7'") == ["all", "net"]
    assert held.ids(f"{ranges} BETWEEN '10.0.0.0' AND '10.0.0.255'") == ["all", "net"]
    exactly = f"{ranges} BETWEEN '10.0.0.0' AND '10.0.0.255' AND NOT {ranges} < '10.0.0.0'"
    assert held.ids(f"{exactly} AND NOT {ranges} > '10.0.0.255'") == ["net"]
    one = f"{ranges} = '192.168.0.2' AND NOT {ranges} > '192.168.0.2' AND NOT {ranges} < '192.168.0.2'"
    assert held.ids(one) == ["one"]
    assert held.ids(f"{ranges} IN ('192.168.0.2', '10.0.0.1')") == ["all", "net", "one"]
    assert held.ids(f"{ranges} = '::1'") == []


def test_groups_have_numbers(held: Holdings) -> None:
    counted = held.ask("SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*) DESC")
    assert counted[0] == {"COUNT(*)": 3, "resourceType": VOLUME}
    assert len(counted) == 3
    (numbers,) = held.ask(
        "SELECT AVG(configuration.size), MAX(configuration.size), MIN(configuration.size), SUM(configuration.size),"
        " COUNT(configuration.state.value) WHERE resourceType = 'AWS::EC2::Volume'"
    )
    assert numbers == {
        "AVG(configuration.size)": 608 / 3,
        "MAX(configuration.size)": 500,
        "MIN(configuration.size)": 8,
        "SUM(configuration.size)": 608,
        "COUNT(configuration.state.value)": 1,
    }
    assert held.ask("SELECT COUNT(*) WHERE resourceId = 'none'") == [{"COUNT(*)": 0}]
    grouped = held.ask(
        "SELECT configuration.encrypted, COUNT(*) WHERE resourceType = 'AWS::EC2::Volume' GROUP BY"
        " configuration.encrypted"
    )
    assert {"COUNT(*)": 2, "configuration": {"encrypted": False}} in grouped


def test_order_is_kept_over_pages_and_ends_with_what_has_no_value(held: Holdings) -> None:
    asked = "SELECT resourceId ORDER BY configuration.size DESC, resourceId ASC"
    for limit in (1, 2, 500):
        ids = [each["resourceId"] for each in held.ask(asked, limit=limit)]
        assert ids == ["vol-3", "vol-2", "vol-1", "i-1", "logs"]


def test_pages_lose_nothing(held: Holdings) -> None:
    for limit in (1, 2, 3, 5):
        assert len(held.ask("SELECT resourceId", limit=limit)) == 5
        assert len(held.ask("SELECT resourceType, COUNT(*) GROUP BY resourceType", limit=limit)) == 3


def test_groups_ordered_by_a_number_have_one_page(held: Holdings) -> None:
    assert len(held.ask("SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*)", limit=2)) == 2


def test_other_accounts_and_what_is_gone_are_not_seen(held: Holdings) -> None:
    held.put(an_item(BUCKET, "theirs", {}, home=ELSEWHERE), home=ELSEWHERE)
    assert held.ids("resourceType = 'AWS::S3::Bucket'") == ["logs"]
    assert held.ids("resourceType = 'AWS::S3::Bucket'", HOME, ELSEWHERE) == ["logs", "theirs"]
    held.put(an_item(BUCKET, "logs", None, configurationItemStatus="ResourceDeleted"))
    assert held.ids("resourceType = 'AWS::S3::Bucket'") == []
    held.put(an_item(VOLUME, "vol-1", None, configurationItemStatus="ResourceNotRecorded"))
    assert held.ids("resourceId = 'vol-1'") == []


def test_the_configuration_of_others_than_aws_is_not_told() -> None:
    held = Holdings()
    held.put(an_item("Acme::Shop::Basket", "b-1", {"secret": "plan"}), an_item("AWS::Nobody::Knows", "x", {}))
    assert held.ask("SELECT resourceId, configuration") == [{"resourceId": "b-1"}]
    assert held.ids("configuration.secret = 'plan'") == []


def test_made_anew_it_answers_the_same(held: Holdings) -> None:
    before = held.ask("SELECT resourceId, configuration, tags")
    held.queries.index = an_index(held.store, Derived(None))
    assert held.queries.index.catch_up()
    assert held.ask("SELECT resourceId, configuration, tags") == before


# ---- narrowing rules nothing out that passes ----

TESTS = some.sampled_from(
    [
        *("configuration.size = 100", "configuration.size = '100'", "configuration.size > 8", "tags.key = 'a.b'"),
        *("configuration.encrypted = 'true'", "configuration.encrypted = true", "resourceType LIKE 'AWS::EC2::%'"),
        *("configuration.state.value = 'available'", "relationships.resourceId = 'sg-abcd1234'", "accountId = 1"),
        *("resourceId IN ('vol-1', 'logs')", "resourceName BETWEEN 'a' AND 'z'", "resourceName = 'x'"),
        *("resourceId >= 'logs'", "configuration.ipPermissions.ipRanges = '10.0.0.1'", "tags.value IN ('c', 12345)"),
    ]
)
WHERE = some.recursive(
    TESTS,
    lambda inner: some.one_of(
        inner.map(lambda each: f"NOT ({each})"),
        some.tuples(inner, some.sampled_from(("AND", "OR")), inner).map(lambda each: f"({' '.join(each)})"),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def mixture() -> Holdings:
    made = Holdings()
    made.put(
        a_volume("vol-1", 8, state={"value": "available"}),
        a_volume("vol-2", 100, encrypted=True),
        a_group("sg-1", "10.0.0.0/8"),
        an_item(BUCKET, "logs", {}, tags={"CostCenter": "12345", "a.b": "c"}, resourceName="quick"),
        an_item(INSTANCE, "i-1", {"size": "100"}, relationships=[related("sg-abcd1234")]),
    )
    return made


@settings(max_examples=150, deadline=None)
@given(where=WHERE)
def test_the_index_rules_out_nothing_that_passes(mixture: Holdings, where: str) -> None:
    passes = predicate(parse(f"SELECT * WHERE {where}").where)
    everything = mixture.index.resources([HOME], NOTHING_RULED_OUT, dict.fromkeys((*COLUMNS, *BODIES), True))
    assert mixture.ids(where) == [each["resourceId"] for _, each in everything if passes(each)]
