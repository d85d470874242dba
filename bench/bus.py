"""How soon a recorded call is told: to the targets of an EventBridge rule, and to whoever asks in SQL.

python -m bench.bus [--calls 100] [--functions 20] [--queries 5] [--seed 1]

A server in a process of its own, durable, with a trail that logs. Each measurement begins when the client has the
answer of CreateUser and ends when it has the message: received from a queue that it asks all the time, posted to a page
of its own (a topic with an HTTP subscription), or when the handler of a function says what time it is. Between two
calls it rests for up to 0.3 s, so that calls come at every moment of the server's own rhythms. What metric filters and
alarms add is told by `bench.alarms`.
"""

import argparse
import io
import json
import random
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from tests.clients.receivers import resource_policy
from tests.clients.server import ACCOUNT, ServerProcess
from tests.clients.trails import bucket_policy

REGION = "us-east-1"
REST_SECONDS_MAX = 0.3
WAIT_SECONDS_MAX = 30.0
GOALS = {"queue": 0.2, "topic": 0.2, "function": 0.2, "SQL": 5.0}

HANDLER = """
import time
def handler(event, context):
    print("heard", event["detail"]["requestParameters"]["userName"], repr(time.time()))
"""

Client = Callable[[str], Any]


class Heard:
    """When each user's name was heard of."""

    def __init__(self) -> None:
        self._moments: dict[str, float] = {}
        self._changed = threading.Condition()

    def note(self, event: dict[str, Any], moment: float) -> None:
        with self._changed:
            self._moments.setdefault(event["detail"]["requestParameters"]["userName"], moment)
            self._changed.notify_all()

    def moment(self, name: str) -> float:
        with self._changed:
            if not self._changed.wait_for(lambda: name in self._moments, WAIT_SECONDS_MAX):
                raise SystemExit(f"nothing was heard of {name}")
            return self._moments[name]


class Page:
    """A web page that a topic posts to: it confirms the subscription and notes what it hears."""

    def __init__(self, heard: Heard, confirm: Callable[[dict[str, Any]], None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                moment = time.time()
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
                if body["Type"] == "Notification":
                    heard.note(json.loads(body["Message"]), moment)
                else:
                    confirm(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def clients(endpoint: str) -> Client:
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "test", "region_name": REGION}
    return lambda service: boto3.client(service, endpoint_url=endpoint, **keys)  # type: ignore[call-overload, no-any-return]


def logging_trail(client: Client) -> None:
    client("s3").create_bucket(Bucket="evidence")
    client("s3").put_bucket_policy(Bucket="evidence", Policy=bucket_policy("evidence"))
    client("cloudtrail").create_trail(Name="all", S3BucketName="evidence")
    client("cloudtrail").start_logging(Name="all")


def put_rule(client: Client, target: str) -> None:
    pattern = {"source": ["aws.iam"], "detail": {"eventName": ["CreateUser"]}}
    client("events").put_rule(Name="users", EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule="users", Targets=[{"Id": "it", "Arn": target}])


def waits(client: Client, kind: str, calls: int, seed: int, moment: Callable[[str], float]) -> list[float]:
    """Seconds from the answer of each call to the moment of its message."""
    draw, iam = random.Random(seed), client("iam")
    found = []
    for number in range(calls):
        time.sleep(draw.random() * REST_SECONDS_MAX)
        name = f"{kind}-{number}"
        iam.create_user(UserName=name)
        answered = time.time()
        found.append(moment(name) - answered)
    return found


def to_queue(client: Client, calls: int, seed: int) -> list[float]:
    sqs, heard, is_over = client("sqs"), Heard(), threading.Event()
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:heard"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": resource_policy("sqs:SendMessage", arn, "events")})

    def ask() -> None:
        while not is_over.wait(0.005):
            for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
                heard.note(json.loads(each["Body"]), time.time())
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    put_rule(client, arn)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        return waits(client, "queue", calls, seed, heard.moment)
    finally:
        is_over.set()
        asking.join()


def to_topic(client: Client, calls: int, seed: int) -> list[float]:
    sns, heard = client("sns"), Heard()
    topic = sns.create_topic(Name="heard")["TopicArn"]
    policy = resource_policy("sns:Publish", topic, "events")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    is_confirmed = threading.Event()

    def confirm(asked: dict[str, Any]) -> None:
        sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
        is_confirmed.set()

    with closing(Page(heard, confirm)) as page:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=page.url)
        if not is_confirmed.wait(WAIT_SECONDS_MAX):
            raise SystemExit("the page was never asked to confirm")
        put_rule(client, topic)
        return waits(client, "topic", calls, seed, heard.moment)


def to_function(client: Client, calls: int, seed: int) -> list[float]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", HANDLER)
    made = client("lambda").create_function(
        FunctionName="hears",
        Runtime="python3.12",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    client("lambda").add_permission(
        FunctionName="hears", StatementId="bus", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    put_rule(client, made["FunctionArn"])
    logs = client("logs")

    def moment(name: str) -> float:
        deadline = time.time() + WAIT_SECONDS_MAX
        while time.time() < deadline:
            time.sleep(0.05)
            if logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/hears")["logGroups"]:
                found = logs.filter_log_events(logGroupName="/aws/lambda/hears", filterPattern=f'"heard {name} "')
                for each in found["events"]:
                    return float(each["message"].split()[2])
        raise SystemExit(f"the function never heard of {name}")

    return waits(client, "function", calls, seed, moment)


def in_sql(client: Client, calls: int, seed: int) -> list[float]:
    athena = client("athena")
    client("s3").create_bucket(Bucket="answers")

    def moment(name: str) -> float:
        sql = f"SELECT count(*) FROM cloudtrail_logs WHERE requestparameters LIKE '%{name}%'"
        deadline = time.time() + WAIT_SECONDS_MAX
        while time.time() < deadline:
            asked = athena.start_query_execution(
                QueryString=sql, ResultConfiguration={"OutputLocation": "s3://answers/"}
            )["QueryExecutionId"]
            while True:
                execution = athena.get_query_execution(QueryExecutionId=asked)["QueryExecution"]["Status"]
                if execution["State"] in ("SUCCEEDED", "FAILED"):
                    break
                time.sleep(0.02)
            if execution["State"] == "FAILED":
                raise SystemExit(f"the query failed: {execution['StateChangeReason']}")
            rows = athena.get_query_results(QueryExecutionId=asked)["ResultSet"]["Rows"]
            if rows[1]["Data"][0]["VarCharValue"] != "0":
                return time.time()
        raise SystemExit(f"no query found {name}")

    return waits(client, "sql", calls, seed, moment)


def p99(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description="From a call to whoever is told.")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--functions", type=int, default=20)
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bus-") as place:
        settings = Path(place) / "settings.toml"
        settings.write_text('outbound_allow = ["127.0.0.0/8"]\n')
        server = ServerProcess(Path(place) / "data", "--config", str(settings))
        try:
            client = clients(server.endpoint)
            logging_trail(client)
            found = {
                "queue": to_queue(client, arguments.calls, arguments.seed),
                "topic": to_topic(client, arguments.calls, arguments.seed),
                "function": to_function(client, arguments.functions, arguments.seed),
                "SQL": in_sql(client, arguments.queries, arguments.seed),
            }
        finally:
            server.stop()
    print(f"{'seconds from answer to':24}{'calls':>7}{'p50':>8}{'p99':>8}{'longest':>9}{'goal':>7}")
    for name, values in found.items():
        goal = f"{GOALS[name]:.1f}"
        figures = f"{statistics.median(values):8.3f}{p99(values):8.3f}{max(values):9.3f}"
        print(f"{name:24}{len(values):7}{figures}{goal:>7}")


if __name__ == "__main__":
    main()
