"""How a rule is declared, and what AWS's catalogue makes of a declaration that does not fit."""

from collections.abc import Iterator

import pytest

from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    RULES,
    Inventory,
    Item,
    MisdeclaredRule,
    Verdict,
    field_at,
    is_true,
    require,
    rule,
)

CLUSTER = "AWS::Redshift::Cluster"


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """The registry as it was before."""
    before = dict(RULES)
    RULES.clear()
    yield
    RULES.clear()
    RULES.update(before)


def test_a_row_judges_one_field(a_cluster: Item) -> None:
    require("REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED", CLUSTER, "configuration.enhancedVpcRouting", is_true)
    judge = RULES["REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED"].judge
    assert judge(a_cluster | {"configuration": {"enhancedVpcRouting": True}}, None) == COMPLIANT
    bad = judge(a_cluster | {"configuration": {"enhancedVpcRouting": False}}, None)
    assert bad.annotation == "'configuration.enhancedVpcRouting' must be true; it is 'false'."
    assert judge(a_cluster, None).compliance == "INSUFFICIENT_DATA"


@pytest.fixture
def a_cluster() -> Item:
    return {"resourceType": CLUSTER, "resourceId": "c1", "configuration": {}}


def test_the_signature_is_the_parameter_schema() -> None:
    @rule("ACCESS_KEYS_ROTATED", "AWS::IAM::User")
    def right(item: Item, inventory: Inventory, *, maxAccessKeyAge: int) -> Verdict:
        return COMPLIANT

    assert RULES["ACCESS_KEYS_ROTATED"].judge is right


def misnamed(item: Item, inventory: Inventory, *, maxAge: int) -> Verdict:
    return COMPLIANT


def mistyped(item: Item, inventory: Inventory, *, maxAccessKeyAge: str) -> Verdict:
    return COMPLIANT


def optional(item: Item, inventory: Inventory, *, maxAccessKeyAge: int = 90) -> Verdict:
    return COMPLIANT


@pytest.mark.parametrize(
    ("function", "words"), [(misnamed, "takes"), (mistyped, "annotated"), (optional, "take no default")]
)
def test_a_signature_unlike_the_catalogue_is_refused_at_import(function: object, words: str) -> None:
    with pytest.raises(MisdeclaredRule, match=words):
        rule("ACCESS_KEYS_ROTATED", "AWS::IAM::User")(function)  # type: ignore[type-var]


def test_a_default_is_the_one_that_aws_documents() -> None:
    with pytest.raises(MisdeclaredRule, match="the default of 'blockedPort1' is 20"):

        @rule("RESTRICTED_INCOMING_TRAFFIC", "AWS::EC2::SecurityGroup")
        def wrong(
            item: Item,
            inventory: Inventory,
            *,
            blockedPort1: int = 22,
            blockedPort2: int = 21,
            blockedPort3: int = 3389,
            blockedPort4: int = 3306,
            blockedPort5: int = 4333,
            blockedPorts: tuple[str, ...] = (),
        ) -> Verdict:
            return COMPLIANT


def test_unknown_rules_and_foreign_types_are_refused() -> None:
    with pytest.raises(MisdeclaredRule, match="no managed rule"):
        require("NO_SUCH_RULE", CLUSTER, "configuration.x", is_true)
    with pytest.raises(MisdeclaredRule, match="judges"):
        require("REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED", "AWS::S3::Bucket", "configuration.x", is_true)


def test_a_null_field_is_a_missing_field() -> None:
    item = {"configuration": {"image": {"id": "ami-1"}, "owner": None}}
    assert field_at(item, "configuration.image.id") == "ami-1"
    assert field_at(item, "configuration.owner") is MISSING
    assert field_at(item, "configuration.image.id.deeper") is MISSING
