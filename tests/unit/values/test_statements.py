"""What a policy document says of itself."""

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.values.statements import (
    UnreadablePolicy,
    grants_everything,
    has_condition,
    is_public,
    matches,
    open_actions,
    overlaps,
    statements,
    whole_services,
)


def _document(*given, **one):
    return {"Version": "2012-10-17", "Statement": list(given) or one}


def _allow(**more):
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **more}


@pytest.mark.parametrize("spelled", [lambda d: d, json.dumps, lambda d: quote(json.dumps(d)), lambda d: [d]])
def test_a_document_is_read_in_every_form_it_is_kept_in(spelled):
    (read,) = statements(spelled(_document(**_allow())))
    assert (read.allows, read.everyone, read.actions) == (True, True, ("s3:GetObject",))


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_no_document_has_no_statements(nothing):
    assert statements(nothing) == ()


@pytest.mark.parametrize("broken", ["{", "{}", {"Statement": [{"Effect": "allow"}]}, [1, 2], '{"Statement": [3]}'])
def test_what_is_no_policy_is_said_to_be_none(broken):
    with pytest.raises(UnreadablePolicy):
        statements(broken)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("s3:*", "S3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("*", "anything", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:*Obj*Acl", "s3:GetObjectAcl", True),
        ("s3:*Obj*Acl", "s3:GetObject", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns(pattern, name, fits):
    assert matches(pattern, name) is fits


def test_resources_compare_with_case():
    assert not matches("arn:aws:s3:::Bucket", "arn:aws:s3:::bucket", fold=False)


def test_no_pattern_is_slow():
    begun = time.process_time()
    assert not matches("*a" * 200 + "b", "a" * 2000)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "principal",
    [{"Principal": "*"}, {"Principal": {"AWS": "*"}}, {"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}}],
)
def test_everyone_is_public(principal):
    assert is_public(statements(_document(**_allow() | principal)))


def test_all_but_one_is_everyone():
    allow = {key: value for key, value in _allow().items() if key != "Principal"}
    assert is_public(statements(_document(**allow, NotPrincipal={"AWS": "arn:aws:iam::123456789012:root"})))


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "123456789012"},
        {"Service": "sns.amazonaws.com"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"CanonicalUser": "79a5"},
    ],
)
def test_somebody_in_particular_is_not_public(principal):
    assert not is_public(statements(_document(**_allow(Principal=principal))))


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringEquals": {"AWS:PrincipalOrgID": ["o-1", "o-2"]}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "${aws:username}"}}, True),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-1/"}}, False),
        ({"StringEquals": {"aws:UserAgent": "secret"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "128.0.0.0/1"]}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ({"IpAddress": {"aws:SourceIp": "nonsense"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "*"}}, True),
        ({"StringEquals": {"aws:SourceVpc": []}}, True),
    ],
)
def test_a_condition_counts_when_it_ties_to_fixed_values(condition, public):
    assert is_public(statements(_document(**_allow(Condition=condition)))) is public


def test_a_refusal_to_everyone_takes_back():
    refused = {"Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}
    document = statements(_document(_allow(Action="s3:*"), refused))
    assert open_actions(document, ["s3:GetObject", "s3:PutObject"]) == ("s3:PutObject",)


def test_a_conditional_refusal_takes_nothing_back():
    refused = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    assert is_public(statements(_document(_allow(), refused)))


@pytest.mark.parametrize(
    ("statement", "everything"),
    [
        ({"Action": "*", "Resource": "*"}, True),
        ({"Action": ["ec2:*", "*"], "Resource": ["arn:aws:s3:::b", "*"]}, True),
        ({"Action": "*", "Resource": "arn:aws:s3:::b"}, False),
        ({"Action": "iam:*", "Resource": "*"}, False),
        ({"NotAction": "iam:*", "Resource": "*"}, False),
    ],
)
def test_an_administrators_statement(statement, everything):
    (read,) = statements(_document(Effect="Allow", **statement))
    assert grants_everything(read) is everything


def test_a_refusal_grants_nothing():
    (read,) = statements(_document(Effect="Deny", Action="*", Resource="*"))
    assert not grants_everything(read)
    assert whole_services(read) == ()


def test_whole_services():
    (read,) = statements(_document(Effect="Allow", Action=["s3:*", "ec2:Describe*", "kms:Decrypt"], Resource="*"))
    assert whole_services(read) == ("s3:*",)


def test_a_condition_alone_is_found_whatever_its_spelling():
    (read,) = statements(
        _document(Effect="Deny", Principal="*", Action="s3:*", Condition={"Bool": {"AWS:secureTransport": False}})
    )
    assert has_condition(read, "Bool", "aws:SecureTransport", "false")


def test_a_second_condition_narrows():
    both = {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}}
    (read,) = statements(_document(Effect="Deny", Principal="*", Action="s3:*", Condition=both))
    assert not has_condition(read, "Bool", "aws:SecureTransport", "false")


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ("kms:*", "kms:Decrypt", True),
        ("*", "kms:Decrypt", True),
        ("kms:*rypt", "kms:Dec*", True),
        ("kms:Encrypt", "kms:Decrypt", False),
        ("s3:*", "kms:*", False),
        ("kms:ReEncrypt?o", "KMS:reencryptTo", True),
    ],
)
def test_patterns_overlap(first, second, meet):
    assert overlaps(first, second) is meet
    assert overlaps(second, first) is meet


_letters = st.text(alphabet="ab*?", max_size=6)


@given(_letters, st.text(alphabet="ab", max_size=6))
def test_a_pattern_overlaps_a_plain_name_exactly_when_it_matches_it(pattern, name):
    assert overlaps(pattern, name) is matches(pattern, name)
