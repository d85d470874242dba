"""A queue takes a message from one of AWS's services if its policy lets that service send, as at AWS.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-using-identity-based-policies.html

moto keeps the policies of queues and asks them nothing. Of callers in accounts only services are held to them: what
users may do is their identity's, which the simulator does not weigh either.
"""

from typing import Any

from trailstate.estate.child.credentials import Credentials
from trailstate.estate.child.sources import replace
from trailstate.values.policy import Question, allows, service_context


def hold_services_to_policies(credentials: Credentials) -> None:
    """From here on a service's SendMessage is held against the queue's policy."""
    from moto.sqs.exceptions import SQSException
    from moto.sqs.models import SQSBackend

    send = SQSBackend.send_message

    def send_if_allowed(self: Any, queue_name: str, *given: Any, **named: Any) -> Any:
        caller = credentials.caller
        if caller is not None and caller.service:
            queue = self.get_queue(queue_name)
            context = service_context(caller.service, caller.account, caller.source_arn)
            question = Question("sqs:SendMessage", queue.queue_arn, caller.service, context=context)
            if not allows(queue._policy_json, question):  # noqa: SLF001
                raise SQSException(
                    "AccessDenied",
                    f"User: {caller.service} is not authorized to perform: sqs:SendMessage on resource:"
                    f" {queue.queue_arn} because no resource-based policy allows the sqs:SendMessage action",
                )
        return send(self, queue_name, *given, **named)

    replace(SQSBackend, "send_message", send_if_allowed)
