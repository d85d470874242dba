"""Something is triggered by an event: a rule on the bus tells a person at once when somebody becomes administrator."""

import json
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from trailstate.incidents.form import TIME, Answer, Incident, Planted, brief_time
from trailstate.incidents.stage import Stage
from trailstate.watch.mail import INBOX_PATH

RULE = "somebody-became-administrator"
TOPIC = "security"
ADDRESS = "security@example.com"
POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
PATTERN = {
    "source": ["aws.iam"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventName": [{"prefix": "Attach"}],
        "requestParameters": {"policyArn": [{"suffix": "/AdministratorAccess"}]},
        "errorCode": [{"exists": False}],
    },
}
TOLD = {
    "InputPathsMap": {
        "who": "$.detail.userIdentity.arn",
        "call": "$.detail.eventName",
        "user": "$.detail.requestParameters.userName",
        "from": "$.detail.sourceIPAddress",
        "time": "$.detail.eventTime",
    },
    "InputTemplate": '"<who> called <call> for <user> from <from> at <time>"',
}
TRIES_MAX = 400
"""How often the mailbox is looked into for a letter on its way; each look takes some milliseconds."""


def _become_administrator(stage: Stage) -> Planted:
    _log_to(stage, f"trail-of-events-{stage.account}")
    _tell(stage)
    eve = stage.developer("eve")
    stage.advance(timedelta(minutes=1))
    told_before = len(_told(stage, "eve"))
    stage.client("iam", eve).attach_user_policy(UserName="eve", PolicyArn=POLICY)
    stage.advance(timedelta(seconds=1))
    return {"resource": RULE, "who": "eve", "before": str(told_before)}


def _log_to(stage: Stage, bucket: str) -> None:
    """A trail that logs: without one, no call becomes an event."""
    stage.client("s3").create_bucket(Bucket=bucket)
    service = {"Service": "cloudtrail.amazonaws.com"}
    statements = [
        {"Effect": "Allow", "Principal": service, "Action": action, "Resource": f"arn:aws:s3:::{bucket}{below}"}
        for action, below in (("s3:GetBucketAcl", ""), ("s3:PutObject", "/*"))
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    stage.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    cloudtrail = stage.client("cloudtrail")
    if "events" not in {each["Name"] for each in cloudtrail.describe_trails()["trailList"]}:
        cloudtrail.create_trail(Name="events", S3BucketName=bucket)
    cloudtrail.start_logging(Name="events")


def _tell(stage: Stage) -> None:
    """A rule whose target is a topic that a person has subscribed to, and confirmed."""
    events, sns = stage.client("events"), stage.client("sns")
    topic = sns.create_topic(Name=TOPIC)["TopicArn"]
    _let_in(stage, topic)
    events.put_rule(Name=RULE, EventPattern=json.dumps(PATTERN))
    events.put_targets(Rule=RULE, Targets=[{"Id": "people", "Arn": topic, "InputTransformer": TOLD}])
    if any(each["SubscriptionArn"].startswith("arn:") for each in _subscriptions(stage, topic)):
        return
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    stage.advance(timedelta(seconds=1))
    for _ in range(TRIES_MAX):
        links = [word for letter in _letters(stage) for word in letter["body"].split() if "ConfirmSubscription" in word]
        mine = [each for each in links if f":{TOPIC}&" in each]
        if mine:
            _get(stage, mine[-1])
            return


def _let_in(stage: Stage, topic: str) -> None:
    """Rules of this account may publish to the topic; as AWS makes one, only the account itself may."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": stage.account}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _subscriptions(stage: Stage, topic: str) -> list[dict[str, str]]:
    return list(stage.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])


def _ask(stage: Stage, planted: Planted) -> Answer:
    """Look into the mailbox: a letter must name who did it."""
    who, wanted = planted["who"], int(planted.get("before", "0")) + 1
    told: list[dict[str, Any]] = []
    for _ in range(TRIES_MAX if "before" in planted else 1):
        told = _told(stage, who)
        if len(told) >= wanted:
            break
    return Answer(
        command=f"aws events list-targets-by-rule --rule {planted['resource']}; trailstate inbox show",
        columns=(TIME, "to", "what the message says"),
        rows=[(brief_time(each["time"]), each["to"], each["body"].splitlines()[0]) for each in told],
        sentence=f"{told[-1]['to']} was told that {who} became administrator." if told else "Nobody was told.",
        is_right=len(told) >= wanted,
    )


def _told(stage: Stage, who: str) -> list[dict[str, Any]]:
    words = f":user/{who} called AttachUserPolicy for {who} "
    return [each for each in _letters(stage) if each["to"] == ADDRESS and words in each["body"]]


def _letters(stage: Stage) -> list[dict[str, Any]]:
    return list(json.loads(_get(stage, INBOX_PATH))["letters"])


def _get(stage: Stage, target: str) -> bytes:
    """The page at a path of the server, or at a link in a letter of its."""
    server, link = urlsplit(stage.endpoint), urlsplit(target)
    connection = HTTPConnection(server.hostname or "127.0.0.1", server.port)
    try:
        connection.request("GET", f"{link.path}?{link.query}" if link.query else link.path)
        return connection.getresponse().read()
    finally:
        connection.close()


NEW_ADMINISTRATOR = Incident(
    name="new-administrator",
    question="Can something be triggered the moment a certain call is made?",
    services="EventBridge (PutRule, PutTargets) · SNS (Subscribe, ConfirmSubscription) · CloudTrail · IAM",
    story="A rule tells security by mail when somebody becomes administrator; a developer makes herself one.",
    play=_become_administrator,
    ask=_ask,
)
