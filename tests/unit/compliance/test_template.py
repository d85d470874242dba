"""Templates of conformance packs: what they may say, what comes of it, and what is refused by name."""

import os
from pathlib import Path

import pytest

from trailstate.catalog.rules import load
from trailstate.compliance.form import RULES
from trailstate.compliance.pack import hold_rules
from trailstate.compliance.template import RULES_MAX, BadTemplate, read_template

KEYS = """
Parameters:
  MaxAge: {Type: String, Default: '90'}
  Bucket: {Type: String, Default: ''}
Conditions:
  HasBucket: {'Fn::Not': [{'Fn::Equals': [{Ref: Bucket}, '']}]}
  Old: !Equals [!Ref MaxAge, '365']
  Either: !Or [{Condition: HasBucket}, {Condition: Old}]
  Both: !And [{Condition: HasBucket}, !Not [{Condition: Old}]]
Resources:
  Keys:
    Type: AWS::Config::ConfigRule
    Controls: [CIS.1.14]
    Properties:
      ConfigRuleName: access-keys-rotated
      InputParameters: {maxAccessKeyAge: {Ref: MaxAge}}
      Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}
  Logging:
    Type: AWS::Config::ConfigRule
    Condition: Either
    Properties:
      ConfigRuleName: s3-bucket-logging-enabled
      InputParameters:
        targetBucket: !If [HasBucket, !Ref Bucket, !Ref 'AWS::NoValue']
      Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_LOGGING_ENABLED}
"""


def one_rule(properties: str = "", more: str = "") -> str:
    """A template of one rule, with further properties and sections."""
    return f"""
Resources:
  One:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: one
      Source: {{Owner: AWS, SourceIdentifier: INCOMING_SSH_DISABLED}}
{properties}
{more}
"""


def test_parameters_and_conditions_are_worked_out() -> None:
    template = read_template(KEYS, {})
    assert [each.rule["ConfigRuleName"] for each in template.rules] == ["access-keys-rotated"]
    assert template.rules[0].rule["InputParameters"] == '{"maxAccessKeyAge":"90"}'
    assert template.rules[0].controls == ("CIS.1.14",)
    with_bucket = read_template(KEYS, {"Bucket": "logs"})
    assert with_bucket.rules[1].rule["InputParameters"] == '{"targetBucket":"logs"}'
    old = read_template(KEYS, {"MaxAge": "365"})
    assert "InputParameters" not in old.rules[1].rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be a mapping"),
        ("a: [", "cannot be read"),
        ("Resources: {}", "at least one entry"),
        ("Resources: {A: {Type: 'AWS::S3::Bucket', Properties: {}}}", "AWS::S3::Bucket"),
        ("Resources: {A: 5}", "must have a Type and Properties"),
        (one_rule(more="Mappings: {}"), "'Mappings' is not supported"),
        (one_rule(more="Outputs: {}"), "'Outputs' is not supported"),
        (one_rule("      Description: !Sub 'x'"), "tag '!Sub' is not known"),
        (one_rule("      Description: {'Fn::Join': ['', []]}"), "'Fn::Join' is not a function"),
        (one_rule("      Description: {Ref: Nothing}"), "refers to 'Nothing'"),
        (one_rule("      Description: {Ref: [1]}"), "refers to"),
        (one_rule("      Colour: red"), "unknown property 'Colour'"),
        (one_rule("      MaximumExecutionFrequency: Weekly"), "not valid"),
        (one_rule("      Description: !If [Nothing, a, b]"), "condition 'Nothing' is not in the template"),
        (one_rule("      Description: !If [a, b]"), "takes a condition and two values"),
        (one_rule(more="Conditions: {A: {Condition: B}, B: {Condition: A}}"), "depends on itself"),
        (one_rule(more="Conditions: {A: {'Fn::Equals': [1]}}"), "compares two values"),
        (one_rule(more="Conditions: {A: true}"), "must be one of"),
        (one_rule(more="Parameters: {A: {Type: String}}"), "has no default"),
        (one_rule(more="Parameters: {A: {Type: Blob, Default: x}}"), "must have the Type"),
        (one_rule(more="Parameters: {A: {Type: String, Default: x, AllowedValues: [y]}}"), "must be one of y"),
        (one_rule(more="Parameters: {A: {Type: String, Default: x, AllowedPattern: '[0-9]+'}}"), "must match"),
        (one_rule(more="Parameters: {A: {Type: String, Default: x, AllowedPattern: '('}}"), "cannot be read"),
        (one_rule().replace("AWS, Source", "Me, Source"), "not valid"),
        (one_rule().replace("INCOMING_SSH_DISABLED", "NO_SUCH"), "NO_SUCH is invalid"),
        (one_rule().replace("ConfigRuleName: one", "ConfigRuleName: a b"), "use letters, digits"),
    ],
)
def test_what_cannot_be_deployed_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(BadTemplate, match=words.replace("(", r"\(")):
        hold_rules(read_template(text, {}))


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(BadTemplate, match="'Colour' is not in the template"):
        read_template(KEYS, {"Colour": "red"})


def test_a_pack_has_at_most_so_many_rules() -> None:
    rule = "{Type: 'AWS::Config::ConfigRule', Properties: {Source: {Owner: AWS, SourceIdentifier: EIP_ATTACHED}}}"
    rules = ", ".join(f"R{number}: {rule}" for number in range(RULES_MAX + 1))
    with pytest.raises(BadTemplate, match=f"may have {RULES_MAX}"):
        read_template(f"Resources: {{{rules}}}", {})


def test_conditions_that_name_one_another_are_decided_once_each() -> None:
    """Forty conditions, each of the two before: worked out anew each time this would not end."""
    first = "  C0: {'Fn::Equals': [a, a]}\n"
    rest = "".join(f"  C{n}: {{'Fn::And': [{{Condition: C{n - 1}}}, {{Condition: C{n - 1}}}]}}\n" for n in range(1, 40))
    assert read_template(one_rule(more=f"Conditions:\n{first}{rest}"), {}).rules


def test_aliases_that_multiply_are_refused_before_they_grow() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(BadTemplate, match="nodes"):
        read_template(bomb, {})


GIVEN = {
    "SnsTopicForPublishNotificationArn": "arn:aws:sns:us-east-1:111122223333:topic",
    "S3TargetBucketNameForEnableLogging": "logs",
    "CustomConfigRuleLambdaArn": "arn:aws:lambda:us-east-1:111122223333:function:mine",
}
"""What three published templates leave to whoever deploys them."""


@pytest.mark.skipif(
    "TRAILSTATE_PACKS" not in os.environ, reason="TRAILSTATE_PACKS names no directory with published pack templates"
)
def test_every_published_template_is_accepted() -> None:
    load()
    paths = sorted(Path(os.environ["TRAILSTATE_PACKS"]).glob("*.y*ml"))
    assert len(paths) >= 122
    judged = total = 0
    for path in paths:
        text = path.read_text()
        template = read_template(text, {name: value for name, value in GIVEN.items() if f"  {name}:" in text})
        hold_rules(template)
        known = [each.rule["Source"].get("SourceIdentifier") in RULES for each in template.rules]
        judged, total = judged + sum(known), total + len(known)
        print(f"{path.stem}: {sum(known)} of {len(known)} judged")
    print(f"all: {judged} of {total} judged")
