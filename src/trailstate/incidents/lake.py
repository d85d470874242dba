"""Ad-hoc SQL over everything recorded: who tries what they may not, found with one question to Athena."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from trailstate.incidents.form import Answer, Incident, Planted
from trailstate.incidents.stage import Stage

ATTEMPTS = 9
SQL = (
    "SELECT useridentity.username AS who, useridentity.accesskeyid AS access_key, count(*) AS failed_changes,"
    " approx_distinct(eventname) AS operations, min(eventtime) AS since"
    " FROM cloudtrail_logs WHERE readonly = 'false' AND errorcode IS NOT NULL AND useridentity.type = 'IAMUser'"
    " GROUP BY 1, 2 ORDER BY failed_changes DESC, who LIMIT 3"
)
COLUMNS = ("who", "access key", "failed changes", "operations", "first time (UTC)")
TRIES_MAX = 10_000


def _try_doors(stage: Stage) -> Planted:
    zoe = stage.developer("zoe")
    s3, iam, ec2 = (stage.client(service, zoe) for service in ("s3", "iam", "ec2"))
    attempts = (
        lambda number: s3.delete_bucket(Bucket=f"backups-{number}-{stage.account}"),
        lambda number: iam.attach_user_policy(
            UserName=f"admin-{number}", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        lambda number: ec2.terminate_instances(InstanceIds=[f"i-{number:017x}"]),
    )
    for number in range(ATTEMPTS):
        try:
            attempts[number % len(attempts)](number)
        except ClientError:
            stage.advance(timedelta(seconds=40))
    return {"resource": _results(stage), "who": "zoe", "count": str(ATTEMPTS)}


def _results(stage: Stage) -> str:
    bucket = f"query-results-{stage.account}"
    stage.client("s3").create_bucket(Bucket=bucket)
    return bucket


def _ask(stage: Stage, planted: Planted) -> Answer:
    athena = stage.client("athena")
    place = {"OutputLocation": f"s3://{planted['resource']}/"}
    name = athena.start_query_execution(QueryString=SQL, ResultConfiguration=place)["QueryExecutionId"]
    stage.advance(timedelta(0))
    status = _ended(athena, name)
    rows = _rows(athena, name) if status["State"] == "SUCCEEDED" else []
    worst = rows[0] if rows else ()
    return Answer(
        command=f"aws athena start-query-execution --result-configuration OutputLocation=s3://{planted['resource']}/"
        f' --query-string "{SQL}"',
        columns=COLUMNS,
        rows=rows,
        sentence=_sentence(status, worst),
        is_right=bool(worst) and worst[0] == planted["who"] and int(worst[2]) >= int(planted["count"]),
    )


def _ended(athena: Any, name: str) -> Mapping[str, Any]:
    """The status of an execution at its end. On a machine whose clock is ours it has ended by now."""
    for _ in range(TRIES_MAX):
        status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            return status
    return {"State": "RUNNING", "StateChangeReason": "it has not ended yet"}


def _rows(athena: Any, name: str) -> list[tuple[str, ...]]:
    rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"][1:]
    return [tuple(cell.get("VarCharValue", "") for cell in row["Data"]) for row in rows]


def _sentence(status: Mapping[str, Any], worst: Sequence[str]) -> str:
    if not worst:
        return f"Nobody: {status.get('StateChangeReason', 'no change failed')}."
    who, key, count, operations, first = worst
    return (
        f"{who} (access key {key}) failed {count} times to change something, with {operations} operations, "
        f"first at {first}."
    )


FAILED_CHANGES = Incident(
    name="failed-changes",
    question="Query CloudTrail logs ad hoc: who keeps failing to change things?",
    services="Athena SQL (StartQueryExecution, GetQueryResults) · CloudTrail · S3",
    story="A user tries bucket after bucket, policy after policy, instance after instance.",
    play=_try_doors,
    ask=_ask,
    is_of_exam=True,
)
