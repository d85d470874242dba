"""Input parameters: text on the wire, values inside."""

import pytest

from trailstate.compliance.catalogue import managed_rules
from trailstate.compliance.parameter import InvalidParameter, read, read_all

RULES = managed_rules()


def test_text_becomes_values() -> None:
    given = {"RequireSymbols": "True", "MinimumPasswordLength": "12"}
    assert read_all(RULES["IAM_PASSWORD_POLICY"], given) == {"RequireSymbols": True, "MinimumPasswordLength": 12}
    listed = read_all(RULES["IAM_USER_GROUP_MEMBERSHIP_CHECK"], {"groupNames": "admins, auditors"})
    assert listed == {"groupNames": ("admins", "auditors")}
    mapped = read_all(RULES["APPROVED_AMIS_BY_TAG"], {"amisByTagKeyAndValue": "stage:prod,approved"})
    assert mapped == {"amisByTagKeyAndValue": {"stage": "prod", "approved": ""}}


def test_numbers_and_booleans_are_taken_for_their_text() -> None:
    given = {"RequireSymbols": False, "MinimumPasswordLength": 12}
    assert read_all(RULES["IAM_PASSWORD_POLICY"], given) == {"RequireSymbols": False, "MinimumPasswordLength": 12}


@pytest.mark.parametrize(
    ("identifier", "given", "words"),
    [
        ("ACCESS_KEYS_ROTATED", {}, "Required parameter 'maxAccessKeyAge'"),
        ("ACCESS_KEYS_ROTATED", {"maxAccessKeyAge": "soon"}, "must be of type int"),
        ("ACCESS_KEYS_ROTATED", {"maxAccessKeyAge": ["90"]}, "must be of type int"),
        ("ACCESS_KEYS_ROTATED", {"maxAccessKeyAge": "90", "age": "1"}, "Unknown parameters provided"),
    ],
)
def test_what_does_not_fit_is_named(identifier: str, given: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        read_all(RULES[identifier], given)


def test_every_documented_default_can_be_read() -> None:
    parameters = [each for rule in RULES.values() for each in rule.parameters if each.default is not None]
    assert len(parameters) > 80
    for each in parameters:
        assert read(each, each.default) is not None
