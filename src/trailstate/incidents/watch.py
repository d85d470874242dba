"""The question of who hears of it: root signs in, and a person is told."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from trailstate.incidents.detection import READER, Detector, arriving, log_group, put_detector, topic
from trailstate.incidents.form import TIME, Answer, Incident, Planted, brief_time
from trailstate.incidents.stage import Stage

ROOT_SIGNS_IN = Detector(
    "root-signed-in",
    "Root signed in to the console",
    '{ ($.eventName = "ConsoleLogin") && ($.userIdentity.type = "Root") }',
)


def _sign_in(stage: Stage) -> Planted:
    put_detector(stage, log_group(stage), ROOT_SIGNS_IN, topic(stage))
    stage.advance(timedelta(minutes=1))
    answer = stage.sign_in()
    stage.advance(timedelta(seconds=30))
    return {"resource": ROOT_SIGNS_IN.name, "event": answer["eventID"], "who": "root"}


def _ask(stage: Stage, planted: Planted) -> Answer:
    """The sign-in in the event history, and the letter that came of it."""
    attribute = {"AttributeKey": "EventId", "AttributeValue": planted["event"]}
    found = stage.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    event = json.loads(found[0]["CloudTrailEvent"]) if found else None
    letter = _letter(stage, planted["resource"], event) if event else None
    return Answer(
        command=(
            f"aws cloudwatch describe-alarm-history --alarm-name {planted['resource']}"
            " --history-item-type StateUpdate --max-items 1"
        ),
        columns=(TIME, "to", "subject"),
        rows=[]
        if letter is None
        else [(brief_time(letter["time"]), letter["to"], letter["subject"].partition(" in ")[0])],
        sentence=_sentence(event, letter),
        is_right=event is not None and letter is not None and event["userIdentity"]["type"] == "Root",
    )


def _letter(stage: Stage, alarm: str, event: Mapping[str, Any]) -> Mapping[str, str] | None:
    return arriving(stage, READER, f'ALARM: "{alarm}"', datetime.fromisoformat(event["eventTime"]))


def _sentence(event: Mapping[str, Any] | None, letter: Mapping[str, str] | None) -> str:
    if event is None or letter is None:
        return "Nobody was told: no such sign-in stands in the event history, or no message came of it."
    return (
        f"{letter['to']}: root signed in at {event['eventTime']} from {event['sourceIPAddress']}, and the message was"
        f" there at {datetime.fromisoformat(letter['time']):%H:%M:%S}."
    )


ROOT_SIGNED_IN = Incident(
    name="root-signed-in",
    question="Root has signed in to the console: who is told?",
    services="CloudTrail · CloudWatch Logs metric filter · CloudWatch alarm · SNS",
    story="Root signs in to the console of the production account.",
    play=_sign_in,
    ask=_ask,
    is_of_exam=True,
)
