"""An execution goes on after the server was stopped: nothing of it lives in memory alone."""

import json
from pathlib import Path

from trailstate.testing import lab

CONTENT = json.dumps(
    {
        "schemaVersion": "0.3",
        "mainSteps": [
            {"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT10M"}},
            {
                "name": "make",
                "action": "aws:executeAwsApi",
                "inputs": {"Service": "sqs", "Api": "CreateQueue", "QueueName": "after-restart"},
            },
        ],
    }
)


def test_a_sleeping_execution_wakes_in_the_next_server(tmp_path: Path) -> None:
    with lab(data=tmp_path, ephemeral=False) as first:
        ssm = first.client("ssm")
        ssm.create_document(Name="Resting", Content=CONTENT, DocumentType="Automation")
        started = ssm.start_automation_execution(DocumentName="Resting")["AutomationExecutionId"]
        first.settle()
    with lab(data=tmp_path, ephemeral=False) as second:
        second.advance("11m")
        done = second.client("ssm").get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
        assert [step["StepStatus"] for step in done["StepExecutions"]] == ["Success", "Success"]
        assert second.client("sqs").get_queue_url(QueueName="after-restart")["QueueUrl"]
