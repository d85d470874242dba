"""EventBridge through the real API: rules, targets, transformers, schedules, dead letters, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.receivers import a_queue, bodies, let_in, received
from tests.clients.refusals import refused
from tests.clients.trails import a_bucket, a_trail

from trailstate.testing import Lab, lab

THEIRS = "210987654321"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(accounts=f"123456789012,{THEIRS}") as started:
        yield started


def queue(aws: Lab, name: str) -> tuple[str, str]:
    return a_queue(aws, name, "events", "sns")


def rule(aws: Lab, name: str, pattern: Any, target: dict[str, Any], **more: Any) -> str:
    events = aws.client("events")
    text = {"EventPattern": json.dumps(pattern)} if pattern is not None else {}
    arn = events.put_rule(Name=name, **text, **more)["RuleArn"]
    bus = {"EventBusName": more["EventBusName"]} if "EventBusName" in more else {}
    events.put_targets(Rule=name, Targets=[{"Id": "it", **target}], **bus)
    return str(arn)


def put(aws: Lab, detail: Any, source: str = "shop", kind: str = "Order", **more: Any) -> dict[str, Any]:
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), **more}
    return dict(aws.client("events").put_events(Entries=[entry]))


def test_an_event_reaches_the_target_of_a_rule_that_it_meets(aws: Lab) -> None:
    url, arn = queue(aws, "orders")
    rule(aws, "orders", {"source": ["shop"], "detail": {"state": ["paid"]}}, {"Arn": arn})
    done = put(aws, {"state": "paid", "id": 7}, Resources=["arn:aws:s3:::x"])
    put(aws, {"state": "open"})
    (event,) = bodies(aws, url)
    assert list(event) == [
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
    ]
    assert (event["id"], event["account"]) == (done["Entries"][0]["EventId"], aws.account)
    assert (event["detail"], event["resources"]) == ({"state": "paid", "id": 7}, ["arn:aws:s3:::x"])


def test_a_disabled_or_deleted_rule_does_nothing(aws: Lab) -> None:
    events = aws.client("events")
    url, arn = queue(aws, "switched")
    rule(aws, "switched", {"source": ["switch"]}, {"Arn": arn})
    events.disable_rule(Name="switched")
    put(aws, {}, "switch")
    assert bodies(aws, url) == []
    events.enable_rule(Name="switched")
    put(aws, {}, "switch")
    assert len(bodies(aws, url)) == 1
    assert refused(events.delete_rule, Name="switched") == (
        *("ValidationException", "Rule can't be deleted since it has targets."),
    )
    events.remove_targets(Rule="switched", Ids=["it"])
    events.delete_rule(Name="switched")
    put(aws, {}, "switch")
    assert bodies(aws, url) == []
    assert refused(events.describe_rule, Name="switched")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"fixed": 1}'}, '{"fixed": 1}'),
        ({"InputPath": "$.detail"}, '{"who":"ann","n":[1,2]}'),
        ({"InputPath": "$.detail.who"}, '"ann"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"who": "$.detail.who", "all": "$.detail", "none": "$.detail.none"},
                    "InputTemplate": '{"who": <who>, "text": "for <who>: <all>", "none": "<none>", '
                    '"rule": <aws.events.rule-name>}',
                }
            },
            '{"who": "ann", "text": "for ann: {\\"who\\":\\"ann\\",\\"n\\":[1,2]}", "none": "", "rule": "shaped"}',
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '"<who> did it"'}},
            '"ann did it"',
        ),
    ],
)
def test_a_target_gets_what_it_asks_for(aws: Lab, target: dict[str, Any], expected: str) -> None:
    url, arn = queue(aws, "shaped")
    rule(aws, "shaped", {"source": ["shape"]}, {"Arn": arn, **target})
    put(aws, {"who": "ann", "n": [1, 2]}, "shape")
    assert [each["Body"] for each in received(aws, url)] == [expected]


def test_topics_logs_and_other_buses_are_targets(aws: Lab) -> None:
    events, logs, sns = aws.client("events"), aws.client("logs"), aws.client("sns")
    url, arn = queue(aws, "far")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    let_in(aws, topic, "events")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    other = events.create_event_bus(Name="other")["EventBusArn"]
    logs.create_log_group(logGroupName="/aws/events/all")
    rule(aws, "on-other", {"source": ["many"]}, {"Arn": topic}, EventBusName="other")
    rule(aws, "forwarded", {"source": ["many"]}, {"Arn": other})
    rule(
        aws, "logged", {"source": ["many"]}, {"Arn": f"arn:aws:logs:us-east-1:{aws.account}:log-group:/aws/events/all"}
    )
    put(aws, {"n": 1}, "many")
    (event,) = bodies(aws, url)
    assert event["detail"] == {"n": 1}
    (logged,) = logs.filter_log_events(logGroupName="/aws/events/all")["events"]
    assert json.loads(logged["message"])["id"] == event["id"]


def test_calls_recorded_by_a_trail_arrive_in_awss_envelope(aws: Lab) -> None:
    url, arn = queue(aws, "calls")
    pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["CreateUser"]}}
    rule(aws, "calls", pattern, {"Arn": arn})
    s3, trail = aws.client("s3"), aws.client("cloudtrail")
    s3.create_bucket(Bucket="evidence-of-events")
    put_policy(aws, "evidence-of-events")
    trail.create_trail(Name="all", S3BucketName="evidence-of-events")
    trail.start_logging(Name="all")
    aws.client("iam").create_user(UserName="eve")
    (event,) = bodies(aws, url)
    assert (event["source"], event["detail"]["requestParameters"]["userName"]) == ("aws.iam", "eve")


def test_of_reads_only_rules_hear_that_ask_for_all_management_events(aws: Lab) -> None:
    events = aws.client("events")
    pattern = {"source": ["aws.kms", "aws.sts"], "detail": {"eventName": ["ListAliases", "AssumeRole"]}}
    told = {}
    events.create_event_bus(Name="reads")
    for name, bus, state in (
        ("changes", "default", "ENABLED"),
        ("all", "default", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
        ("beyond-changes", "reads", "ENABLED"),
        ("beyond-all", "reads", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
    ):
        told[name], arn = queue(aws, f"reads-{name}")
        rule(aws, name, pattern, {"Arn": arn}, State=state, EventBusName=bus)
    beyond = f"arn:aws:events:us-east-1:{aws.account}:event-bus/reads"
    events.put_targets(Rule="all", Targets=[{"Id": "beyond", "Arn": beyond}])
    a_trail(aws, "reads", a_bucket(aws, "evidence-of-reads"))
    aws.client("kms").list_aliases()
    role = aws.client("iam").create_role(RoleName="read", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    aws.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")
    heard = {name: [each["detail"]["eventName"] for each in bodies(aws, url)] for name, url in told.items()}
    assert heard == {
        "changes": ["AssumeRole"],
        "all": ["ListAliases", "AssumeRole"],
        "beyond-changes": ["AssumeRole"],
        "beyond-all": ["ListAliases", "AssumeRole"],
    }
    assert events.describe_rule(Name="all")["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    for name in ("changes", "all"):
        events.disable_rule(Name=name)
    aws.client("cloudtrail").delete_trail(Name="reads")


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)


def put_policy(aws: Lab, bucket: str) -> None:
    who = {"Service": "cloudtrail.amazonaws.com"}
    statements = [
        {"Effect": "Allow", "Principal": who, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Principal": who, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def test_schedules_follow_the_clock(aws: Lab) -> None:
    url, arn = queue(aws, "ticks")
    made = rule(aws, "tick", None, {"Arn": arn}, ScheduleExpression="rate(10 minutes)")
    aws.advance("35m")
    ticks = bodies(aws, url)
    assert [(each["detail-type"], each["resources"]) for each in ticks] == [("Scheduled Event", [made])] * 3
    assert len({each["time"] for each in ticks}) == 3
    aws.client("events").put_rule(Name="tick", ScheduleExpression="cron(0 * * * ? *)")
    aws.advance("2h")
    assert [each["time"][14:] for each in bodies(aws, url)] == ["00:00Z"] * 2
    aws.client("events").disable_rule(Name="tick")
    aws.advance("2h")
    assert bodies(aws, url) == []


def test_a_target_that_is_gone_costs_one_dead_letter(aws: Lab) -> None:
    dead, dead_arn = queue(aws, "dead-events")
    url, arn = queue(aws, "gone")
    made = rule(aws, "gone", {"source": ["gone"]}, {"Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}})
    aws.client("sqs").delete_queue(QueueUrl=url)
    put(aws, {"n": 1}, "gone")
    (letter,) = received(aws, dead)
    told = {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}
    assert (told["RULE_ARN"], told["TARGET_ARN"], told["RETRY_ATTEMPTS"]) == (made, arn, "0")
    assert json.loads(letter["Body"])["detail"] == {"n": 1}


def test_another_account_needs_the_buss_policy(aws: Lab) -> None:
    events = aws.client("events")
    bus = events.create_event_bus(Name="open")["EventBusArn"]
    url, arn = queue(aws, "from-them")
    rule(aws, "theirs", {"account": [THEIRS]}, {"Arn": arn}, EventBusName="open")
    entry = {"Source": "them", "DetailType": "x", "Detail": "{}", "EventBusName": bus}
    other = aws.client("events", key=THEIRS)
    assert other.put_events(Entries=[entry])["Entries"][0]["ErrorCode"] == "AccessDeniedException"
    events.put_permission(EventBusName="open", Action="events:PutEvents", Principal=THEIRS, StatementId="them")
    assert other.put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert [each["account"] for each in bodies(aws, url)] == [THEIRS]
    assert "them" in events.describe_event_bus(Name="open")["Policy"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Source": ""}, "InvalidArgument"),
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Detail": "{" * 100_000}, "MalformedDetail"),
        ({"Detail": '{"a":' * 20_000 + "1" + "}" * 20_000}, "MalformedDetail"),
        ({"Detail": '{"a":' + "[" * 900 + "]" * 900 + "}"}, "MalformedDetail"),
        ({"Detail": '{"a":' * 301 + "1" + "}" * 301}, "MalformedDetail"),
        ({"EventBusName": "none"}, "ResourceNotFoundException"),
    ],
)
def test_entries_are_refused_one_by_one(aws: Lab, entry: dict[str, str], code: str) -> None:
    good = {"Source": "shop", "DetailType": "x", "Detail": "{}"}
    answer = aws.client("events").put_events(Entries=[good, {**good, **entry}])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][0]


def test_an_event_of_any_depth_is_taken_or_refused(aws: Lab) -> None:
    aws.client("events").put_rule(Name="deep", EventPattern='{"detail": {"l": [{"prefix": "y"}], "a": {"b": ["x"]}}}')
    for depth in (299, 300, 301, 500, *range(900, 1010, 3)):
        for detail in ('{"l":' + "[" * depth + "]" * depth + "}", '{"a":' * depth + "1" + "}" * depth):
            answer = aws.client("events").put_events(Entries=[{"Source": "s", "DetailType": "x", "Detail": detail}])
            assert answer["Entries"][0].get("ErrorCode", "MalformedDetail") == "MalformedDetail"
    aws.client("events").delete_rule(Name="deep")


def test_what_is_refused_is_refused_in_eventbridges_words(aws: Lab) -> None:
    events = aws.client("events")
    events.put_rule(Name="refusing", EventPattern='{"source": ["x"]}')
    reason = "Event pattern is not valid. Reason: "
    assert refused(events.put_rule, Name="r", EventPattern="[]") == (
        *("InvalidEventPatternException", f"{reason}Filter is not an object"),
    )
    bad = {"EventPattern": '{"a": "b"}', "Event": "{}"}
    assert refused(events.test_event_pattern, **bad)[1] == f'{reason}"a" must be an object or an array'
    assert refused(events.put_rule, Name="r", ScheduleExpression="rate(1 minutes)") == (
        *("ValidationException", "Parameter ScheduleExpression is not valid."),
    )
    for resource in ("ssm", "document/AWS-RunShellScript"), ("events", "api-destination/x"), ("lambda", "layer:x"):
        target = {"Id": "1", "Arn": f"arn:aws:{resource[0]}:us-east-1:{aws.account}:{resource[1]}"}
        assert "not supported by Trailstate yet" in refused(events.put_targets, Rule="refusing", Targets=[target])[1]
    target = {"Id": "1", "Arn": f"arn:aws:batch:us-east-1:{aws.account}:job-queue/q"}
    assert "not supported by Trailstate yet" in refused(events.put_targets, Rule="refusing", Targets=[target])[1]
    assert "not supported by Trailstate yet" in refused(events.list_archives)[1]
    assert refused(events.put_targets, Rule="none", Targets=[target])[0] == "ResourceNotFoundException"


def test_what_a_bucket_notices_comes_to_topics_and_buses(aws: Lab) -> None:
    s3, sns = aws.client("s3"), aws.client("sns")
    told, told_arn = queue(aws, "told-of-objects")
    topic = sns.create_topic(Name="objects")["TopicArn"]
    let_in(aws, topic, "s3", ArnLike={"aws:SourceArn": "arn:aws:s3:::noticed"})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn, Attributes={"RawMessageDelivery": "true"})
    url, arn = queue(aws, "object-events")
    rule(aws, "objects", {"source": ["aws.s3"], "detail-type": ["Object Created"]}, {"Arn": arn})
    s3.create_bucket(Bucket="noticed")
    s3.put_bucket_notification_configuration(
        Bucket="noticed",
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}],
            "EventBridgeConfiguration": {},
        },
    )
    assert [each["Event"] for each in bodies(aws, told)] == ["s3:TestEvent"]
    s3.put_object(Bucket="noticed", Key="a.txt", Body=b"hello")
    ((record,),) = (each["Records"] for each in bodies(aws, told))
    assert record["s3"]["object"]["key"] == "a.txt"
    (event,) = bodies(aws, url)
    assert (event["account"], event["detail"]["object"]["size"]) == (aws.account, 5)


def test_test_event_pattern(aws: Lab) -> None:
    event = {
        "id": "1",
        "account": "1",
        "source": "a",
        "time": "2026-01-15T09:30:00Z",
        "region": "r",
        "resources": [],
        "detail-type": "x",
        "detail": {"n": 5},
    }
    ask = aws.client("events").test_event_pattern
    assert ask(EventPattern='{"detail": {"n": [{"numeric": [">", 4]}]}}', Event=json.dumps(event))["Result"]
    assert not ask(EventPattern='{"detail": {"n": [{"numeric": [">", 5]}]}}', Event=json.dumps(event))["Result"]


def test_rules_buses_and_tags_are_listed(aws: Lab) -> None:
    events = aws.client("events")
    _, arn = queue(aws, "listed")
    made = rule(aws, "listed", {"source": ["x"]}, {"Arn": arn}, Description="told", Tags=[{"Key": "a", "Value": "b"}])
    (told,) = events.list_rules(NamePrefix="listed")["Rules"]
    assert (told["Arn"], told["State"], told["Description"]) == (made, "ENABLED", "told")
    assert events.list_tags_for_resource(ResourceARN=made)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert events.list_rule_names_by_target(TargetArn=arn)["RuleNames"] == ["listed"]
    assert [each["Arn"] for each in events.list_targets_by_rule(Rule="listed")["Targets"]] == [arn]
    assert "default" in [each["Name"] for each in events.list_event_buses()["EventBuses"]]
