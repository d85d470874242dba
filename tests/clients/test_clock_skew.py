"""A lab whose clock is far from its clients': nobody minds, and every answer says what time it is there."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.request import urlopen

import boto3
import pytest

from tests.clients.calls import only_record, recorded_during
from trailstate.testing import lab

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)


@pytest.mark.parametrize("away", [timedelta(days=-1), timedelta(days=400)], ids=str)
def test_a_client_whose_clock_is_far_away_is_served(away: timedelta) -> None:
    start = (datetime.now(UTC) + away).replace(microsecond=0)
    with lab(clock_start=start, data_events="all") as aws:
        s3 = aws.client("s3")
        done = recorded_during(aws, lambda: s3.create_bucket(Bucket="elsewhen"))
        record = only_record(done)
        assert done.answer["ResponseMetadata"]["RetryAttempts"] == 0
        told = parsedate_to_datetime(done.answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        assert timedelta(0) <= told - start < timedelta(minutes=2)
        assert record["eventTime"] == told.strftime("%Y-%m-%dT%H:%M:%SZ")
        s3.put_object(Bucket="elsewhen", Key="k", Body=b"kept")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "elsewhen", "Key": "k"}, ExpiresIn=60)
        with urlopen(url) as answer:
            assert answer.read() == b"kept"


def test_a_session_taken_from_a_lab_of_yesterday_goes_on_working() -> None:
    with lab(clock_start=datetime.now(UTC) - timedelta(days=1)) as aws:
        role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="ss")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        session.client("sqs", region_name="us-east-1", endpoint_url=aws.endpoint).list_queues()
        assert aws.recorded(eventName="ListQueues")[0]["userIdentity"]["type"] == "AssumedRole"
