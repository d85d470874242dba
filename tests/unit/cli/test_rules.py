"""`trailstate rules` and `trailstate packs` against a running lab."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.recorder import start_recorder
from tests.clients.test_compliance import WORLD
from tests.clients.test_packs import TEMPLATE
from typer.testing import CliRunner

from trailstate.cli.exit import Stop
from trailstate.cli.main import app
from trailstate.cli.rules import identifier
from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with one security group that is open to the world, and a pack."""
    with lab(data=str(tmp_path_factory.mktemp("data"))) as started:
        start_recorder(started)
        started.settle()
        group = started.client("ec2").create_security_group(GroupName="web", Description="web")["GroupId"]
        started.settle()
        started.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=WORLD)
        started.settle()
        started.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "team", "Value": "web"}])
        started.settle()
        started.client("config").put_conformance_pack(ConformancePackName="basics", TemplateBody=TEMPLATE)
        started.settle()
        yield started


def run(aws: Lab, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--data", str(aws._running.data)])
    return result.exit_code, result.stdout


def test_the_catalogue_says_what_is_judged() -> None:
    result = CliRunner().invoke(app, ["rules", "list", "-o", "json"])
    by_id = {each["id"]: each for each in json.loads(result.stdout)}
    assert len(by_id) > 800
    assert by_id["INCOMING_SSH_DISABLED"]["judged"]
    assert by_id["INCOMING_SSH_DISABLED"]["demonstrable"]
    assert not by_id["EC2_PARAVIRTUAL_INSTANCE_CHECK"]["demonstrable"]
    assert "CIS-1.4" in by_id["INCOMING_SSH_DISABLED"]["sets"]
    assert not by_id["GUARDDUTY_NON_ARCHIVED_FINDINGS"]["judged"]


def test_a_rule_is_tried_without_being_put(aws: Lab) -> None:
    rules = len(aws.client("config").describe_config_rules()["ConfigRules"])
    code, text = run(
        aws, "rules", "eval", "restricted-common-ports", "-p", "blockedPort1=22", "--fail-on", "noncompliant"
    )
    assert code == 1
    assert "NON_COMPLIANT" in text
    assert "AuthorizeSecurityGroupIngress" in text  # which broke it; the call after it, CreateTags, did not
    assert len(aws.client("config").describe_config_rules()["ConfigRules"]) == rules


def test_a_pack_is_tried_without_being_deployed(aws: Lab, tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(TEMPLATE)
    code, text = run(aws, "rules", "test", str(path), "--fail-on", "noncompliant", "-o", "json")
    assert code == 1
    assert json.loads(text)["rulesJudged"] == 2
    code, _ = run(aws, "rules", "test", str(path))
    assert code == 0
    path.write_text("Resources: 5")
    code, _ = run(aws, "rules", "test", str(path), "--fail-on", "noncompliant")
    assert code == 2


def test_words_that_name_no_rule_are_a_usage_error(aws: Lab) -> None:
    assert run(aws, "rules", "eval", "restrictd-ssh")[0] == 2
    assert run(aws, "rules", "eval", "required-tags")[0] == 2
    with pytest.raises(Stop, match="has no managed rule 'restrictd-ssh'; did you mean 'restricted-ssh'"):
        identifier("restrictd-ssh")
    with pytest.raises(Stop, match=r"has no managed rule 'no-such-thing-at-all'\.$"):
        identifier("no-such-thing-at-all")
    assert run(aws, "rules", "eval", "restricted-ssh", "-p", "port")[0] == 2


def test_a_pack_of_a_framework_is_written_from_the_catalogue(aws: Lab, tmp_path: Path) -> None:
    written = CliRunner().invoke(app, ["packs", "template", "CIS-1.4"])
    path = tmp_path / "cis.yaml"
    path.write_text(written.stdout)
    code, text = run(aws, "rules", "test", str(path), "-o", "json")
    assert code == 0
    assert json.loads(text)["rulesTotal"] == 38
    assert CliRunner().invoke(app, ["packs", "template", "CIS-9"]).exit_code == 2


def test_a_packs_report_is_written(aws: Lab, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    code, _ = run(aws, "packs", "report", "basics", "-o", "html", "--to", str(path), "--fail-on", "noncompliant")
    assert code == 1
    page = path.read_text()
    assert "2 of 3" in page
    assert "guardduty-non-archived-findings" in page
    assert "AuthorizeSecurityGroupIngress" in page
    assert run(aws, "packs", "report", "nothing")[0] == 1
