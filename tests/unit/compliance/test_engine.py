"""New items, the clock and new rules go in; verdicts come out, with their history and their notices."""

from datetime import timedelta

import msgspec
import pytest

from tests.unit.compliance.house import ACCOUNT, REGION, VOLUME, House
from trailstate.compliance.configured import STATUS_KIND
from trailstate.compliance.engine import evaluation_row
from trailstate.compliance.form import COMPLIANT, RULES, Inventory, Item, Rule, Verdict, non_compliant
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey
from trailstate.wire.fault import Fault


def test_a_new_item_is_judged_by_every_rule_over_its_type(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.volume("vol-2", encrypted=True)
    house.volume("vol-3", encrypted=False, attached=False)
    assert house.verdicts(rule) == {"vol-1": "NON_COMPLIANT", "vol-2": "COMPLIANT", "vol-3": "NOT_APPLICABLE"}
    assert "not encrypted" in house.of(rule)[0].annotation


def test_a_new_rule_judges_what_is_there_already(house: House) -> None:
    house.volume("vol-1", encrypted=False)
    assert house.verdicts(house.rule("ENCRYPTED_VOLUMES")) == {"vol-1": "NON_COMPLIANT"}


def test_a_repaired_resource_becomes_compliant_and_keeps_its_history(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.volume("vol-1", encrypted=True)
    history = house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-1")
    assert [each.compliance for each in history] == ["NON_COMPLIANT", "COMPLIANT"]
    assert house.of(rule)[0].since == history[1].time


def test_since_when_and_by_whom(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    cause = {"eventID": "e-1", "eventName": "AttachVolume", "principal": "arn:aws:iam::111122223333:user/dana"}
    house.item({"resourceId": "vol-1", "configuration": {"attachments": [{}], "encrypted": False}}, cause=cause)
    first = house.of(rule)[0]
    assert first.cause == cause
    house.volume("vol-1", encrypted=False, tags={"a": "b"})
    assert house.of(rule)[0].since == first.since
    assert house.of(rule)[0].cause == cause


def test_the_same_verdict_again_is_newer_but_no_change(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.volume("vol-2", encrypted=True)
    (first, other) = house.of(rule)
    house.volume("vol-1", encrypted=False, tags={"a": "b"})
    (again, untouched) = house.of(rule)
    assert (again.since, again.cause, again.compliance) == (first.since, first.cause, first.compliance)
    assert first.time < again.time == again.captured
    assert again.recorded > first.recorded
    assert untouched == other
    assert len(house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-1")) == 1


def test_an_evaluation_on_demand_renews_every_result(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.volume("vol-2", encrypted=True)
    before = house.of(rule)
    house.world.advance(timedelta(minutes=5))
    house.store.commit(Commit(outbox=[evaluation_row(house.world, ACCOUNT, REGION, rule, {})]))
    house.settle()
    for old, new in zip(before, house.of(rule), strict=True):
        assert (new.recorded, new.invoked) > (old.recorded, old.invoked)
        assert new.invoked > old.invoked
        assert (new.time, new.captured, new.since) == (old.time, old.captured, old.since)


def test_what_a_rule_reads_beside_its_resource_makes_it_judge_again(house: House) -> None:
    rule = house.rule("EC2_SECURITY_GROUP_ATTACHED_TO_ENI")
    group, interface = "AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface"
    house.item({"resourceType": group, "resourceId": "sg-1", "configuration": {"groupId": "sg-1", "groupName": "web"}})
    assert house.verdicts(rule) == {"sg-1": "NON_COMPLIANT"}
    cause = {"eventID": "e-1", "eventName": "CreateNetworkInterface"}
    attached = {"resourceType": interface, "resourceId": "eni-1", "configuration": {"groups": [{"groupId": "sg-1"}]}}
    house.item(attached, cause=cause)
    assert house.verdicts(rule) == {"sg-1": "COMPLIANT"}
    assert house.of(rule)[0].cause == cause
    house.deleted("eni-1", interface)
    assert house.verdicts(rule) == {"sg-1": "NON_COMPLIANT"}


def test_a_deleted_resource_has_no_results(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.deleted("vol-1")
    assert house.verdicts(rule) == {}
    assert [each.compliance for each in house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-1")][-1] == ""


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"ComplianceResourceTypes": ["AWS::S3::Bucket"]}, set()),
        ({"ComplianceResourceTypes": [VOLUME]}, {"vol-1", "vol-2"}),
        ({"ComplianceResourceTypes": [VOLUME], "ComplianceResourceId": "vol-2"}, {"vol-2"}),
        ({"TagKey": "stage"}, {"vol-1"}),
        ({"TagKey": "stage", "TagValue": "prod"}, {"vol-1"}),
        ({"TagKey": "stage", "TagValue": "test"}, set()),
    ],
)
def test_a_scope_says_whom_a_rule_judges(house: House, scope: dict[str, object], expected: set[str]) -> None:
    house.volume("vol-1", encrypted=True, tags={"stage": "prod"})
    house.volume("vol-2", encrypted=True)
    assert set(house.verdicts(house.rule("ENCRYPTED_VOLUMES", Scope=scope))) == expected


def test_a_resource_that_leaves_the_scope_loses_its_result(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES", Scope={"TagKey": "stage"})
    house.volume("vol-1", encrypted=False, tags={"stage": "prod"})
    assert house.verdicts(rule) == {"vol-1": "NON_COMPLIANT"}
    house.volume("vol-1", encrypted=False)
    assert house.verdicts(rule) == {}


def test_parameters_reach_the_rule_as_values(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES", InputParameters='{"kmsId": "k-1"}')
    house.volume("vol-1", encrypted=True)
    assert "expected the key 'k-1'" in house.of(rule)[0].annotation


def test_what_is_known_but_not_implemented_is_accepted_and_says_so(house: House) -> None:
    rule = house.rule("GUARDDUTY_NON_ARCHIVED_FINDINGS")
    assert house.of(rule) == []


@pytest.fixture
def _a_failing_rule() -> object:
    """ENCRYPTED_VOLUMES as if its author had not foreseen something."""
    whole = RULES["ENCRYPTED_VOLUMES"]

    def fails(item: Item, inventory: Inventory, **_: object) -> Verdict:
        return item["configuration"]["nothing"]

    RULES["ENCRYPTED_VOLUMES"] = Rule(whole.managed, whole.types, fails)
    yield
    RULES["ENCRYPTED_VOLUMES"] = whole


@pytest.mark.usefixtures("_a_failing_rule")
def test_a_rules_own_failure_is_an_error_at_the_rule_never_a_verdict(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=True)
    assert house.of(rule) == []
    status = house.store.get(ShelfKey(ACCOUNT, REGION, STATUS_KIND, rule))
    assert status is not None
    assert status.value["LastErrorCode"] == "RuleEvaluationFailed"
    assert "KeyError: 'nothing'" in status.value["LastErrorMessage"]


def users_key(days: int, house: House) -> dict[str, object]:
    created = (house.world.now() - timedelta(days=days)).isoformat()
    return {"AccessKeys": [{"AccessKeyId": "AKIA1", "Status": "Active", "CreateDate": created, "LastUsedDate": None}]}


@pytest.fixture
def _a_rule_by_the_clock() -> object:
    """A stand-in for ACCESS_KEYS_ROTATED that only looks at the clock."""
    before = RULES.get("ACCESS_KEYS_ROTATED")
    from trailstate.compliance.catalogue import managed_rules

    def judge(item: Item, inventory: Inventory, *, maxAccessKeyAge: int) -> Verdict:
        age = (inventory.now - house_start).days
        return COMPLIANT if age < maxAccessKeyAge else non_compliant(f"The key is {age} days old.")

    from tests.unit.compliance.house import SimulatedWorld

    house_start = SimulatedWorld().now()
    RULES["ACCESS_KEYS_ROTATED"] = Rule(managed_rules()["ACCESS_KEYS_ROTATED"], ("AWS::IAM::User",), judge)
    yield
    if before is None:
        del RULES["ACCESS_KEYS_ROTATED"]
    else:
        RULES["ACCESS_KEYS_ROTATED"] = before


@pytest.mark.usefixtures("_a_rule_by_the_clock")
def test_a_periodic_rule_runs_by_the_clock_and_makes_up_for_what_it_missed(house: House) -> None:
    house.item({"resourceId": "AIDA1"}, kind="AWS::IAM::User")
    rule = house.rule(
        "ACCESS_KEYS_ROTATED", InputParameters='{"maxAccessKeyAge": "90"}', MaximumExecutionFrequency="TwentyFour_Hours"
    )
    assert house.verdicts(rule) == {"AIDA1": "COMPLIANT"}
    house.pass_time(hours=23)
    assert house.results.next_due() is not None
    house.pass_time(days=100)
    assert house.verdicts(rule) == {"AIDA1": "NON_COMPLIANT"}
    changed = house.results.history(ACCOUNT, REGION, rule, "AWS::IAM::User", "AIDA1")[-1]
    assert changed.annotation == "The key is 90 days old."


def test_a_changed_verdict_is_told_once(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    house.volume("vol-1", encrypted=False, tags={"a": "b"})
    house.volume("vol-1", encrypted=True)
    events = [entry for told in house.door.heard("events:PutEvents") for entry in told["Entries"]]
    details = [msgspec.json.decode(each["Detail"]) for each in events]
    assert [each["newEvaluationResult"]["complianceType"] for each in details] == ["NON_COMPLIANT", "COMPLIANT"]
    assert details[0]["oldEvaluationResult"] is None
    assert details[1]["oldEvaluationResult"]["complianceType"] == "NON_COMPLIANT"
    assert {each["DetailType"] for each in events} == {"Config Rules Compliance Change"}
    assert details[0]["configRuleName"] == rule


def test_the_topic_of_the_delivery_channel_is_told_too(house: House) -> None:
    channel = ShelfKey(ACCOUNT, REGION, "config.channel", "default")
    house.store.commit(Commit(shelf=[ShelfChange(channel, {"name": "default", "snsTopicARN": "arn:topic"})]))
    house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    (published,) = house.door.heard("sns:Publish")
    assert published["TopicArn"] == "arn:topic"
    assert published["Subject"] == (
        "[AWS Config:us-east-1] AWS::EC2::Volume vol-1 is NON_COMPLIANT with encrypted_volumes in Account ..."
    )


def test_a_bus_that_cannot_be_reached_holds_nothing_up(house: House) -> None:
    house.door.answers["events:PutEvents"] = Fault("InternalFailure", "no bus", 500)
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    assert house.verdicts(rule) == {"vol-1": "NON_COMPLIANT"}
    assert house.store.queues("compliance/") == []


class Repairs:
    """A listener as the repairing part is one."""

    def rows(self, change: object) -> list[OutboxRow]:
        return [OutboxRow("remediation/x", f"{change.resource_id}/{change.verdict}", b"{}")]  # type: ignore[attr-defined]


def test_whoever_repairs_commits_with_the_verdict(house: House) -> None:
    house.listeners.add(Repairs())
    house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    assert [row.id for row in house.store.outbox("remediation/x", 10)] == ["vol-1/NON_COMPLIANT"]


def test_results_are_the_same_when_they_are_built_anew(house: House) -> None:
    rule = house.rule("ENCRYPTED_VOLUMES")
    for name in ("vol-1", "vol-2", "vol-3"):
        house.volume(name, encrypted=False)
    house.volume("vol-2", encrypted=True)
    house.deleted("vol-3")
    before = house.of(rule), house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-2")
    house.derived.erase()
    house.settle()
    assert (house.of(rule), house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-2")) == before


def test_the_same_items_judged_again_say_nothing_new(house: House) -> None:
    """As after a crash between the commit and whatever remembers it."""
    rule = house.rule("ENCRYPTED_VOLUMES")
    house.volume("vol-1", encrypted=False)
    told = len(house.door.calls)
    house.store.commit(Commit(cursors={"compliance": 0}))
    house.settle()
    assert len(house.door.calls) == told
    assert [each.compliance for each in house.results.history(ACCOUNT, REGION, rule, VOLUME, "vol-1")] == [
        "NON_COMPLIANT"
    ]
