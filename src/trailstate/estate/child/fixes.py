"""Named repairs of what the simulator gets wrong where it would show in evidence. Each goes once moto has its own."""

from collections.abc import Callable
from string import ascii_uppercase, digits
from typing import Any

from trailstate.estate.child import instances, models, policies, template
from trailstate.estate.child.sources import replace


def ids_of_users_and_groups() -> None:
    """IAM's unique ids say what they name (AIDA, AGPA); moto's are bare lower-case letters.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    from moto.iam import models
    from moto.iam.utils import generate_access_key_id_from_account_id

    def named(prefix: str, make: Callable[..., None]) -> Callable[..., None]:
        def make_named(self: Any, account_id: str, *rest: Any, **named_rest: Any) -> None:
            make(self, account_id, *rest, **named_rest)
            self.id = generate_access_key_id_from_account_id(account_id, prefix=prefix, total_length=21)

        return make_named

    for kind, prefix in ((models.User, "AIDA"), (models.Group, "AGPA")):
        replace(kind, "__init__", named(prefix, kind.__init__))


def one_id_for_an_assumed_role() -> None:
    """A session of a role that does not exist keeps one id; moto draws another at each look."""
    from moto.sts.models import AssumedRole

    draw = vars(AssumedRole)["user_id"].fget

    def user_id(self: Any) -> str:
        if not hasattr(self, "kept_user_id"):
            self.kept_user_id = draw(self)
        kept: str = self.kept_user_id
        return kept

    replace(AssumedRole, "user_id", property(user_id))


def long_polls_return_at_once() -> None:
    """ReceiveMessage answers with what is there: a poll of twenty seconds would hold everybody up, and moto's waits by
    looking at a clock that stands still while a request is served."""
    from moto.sqs.models import SQSBackend

    receive = SQSBackend.receive_message

    def receive_at_once(self: Any, queue_name: str, count: int, _wait_seconds: int, *rest: Any) -> Any:
        return receive(self, queue_name, count, 0, *rest)

    replace(SQSBackend, "receive_message", receive_at_once)


def what_is_put_is_no_form() -> None:
    """An object is stored as it was sent, whatever its type; moto's web framework takes one of a form's type for a form
    and leaves nothing of it. `curl --data-binary` and `urllib` send that type unless told otherwise."""
    from werkzeug.wrappers import Request

    def want_form_data_parsed(self: Any) -> bool:
        return self.method != "PUT" and bool(self.environ.get("CONTENT_TYPE"))

    replace(Request, "want_form_data_parsed", property(want_form_data_parsed))


def cloudtrail_and_config_have_administrators() -> None:
    """Members can be delegated administrators of CloudTrail and Config too; moto's list leaves them out.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
    """
    from moto.organizations.models import FakeDelegatedAdministrator

    FakeDelegatedAdministrator.SUPPORTED_SERVICES.extend(("cloudtrail.amazonaws.com", "config.amazonaws.com"))


def ids_of_databases() -> None:
    """Every DB instance has a DbiResourceId of its own; moto gives all of them one, so their histories would be one."""
    from moto.moto_api._internal import mock_random
    from moto.rds.models import DBInstance

    make = DBInstance.__init__

    def make_with_id(self: Any, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self.dbi_resource_id = "db-" + "".join(mock_random.choices(ascii_uppercase + digits, k=26))

    replace(DBInstance, "__init__", make_with_id)


AT_START: tuple[Callable[[], None], ...] = (
    ids_of_users_and_groups,
    one_id_for_an_assumed_role,
    what_is_put_is_no_form,
    models.read_models_lean,
    policies.read_policies_once,
)
AFTER_IMPORT: dict[str, Callable[[], None]] = {
    "cloudformation": template.tell_broken_templates,
    "ec2": instances.describe_types_when_asked,
    "organizations": cloudtrail_and_config_have_administrators,
    "rds": ids_of_databases,
    "sqs": long_polls_return_at_once,
}
"""Repairs of a service that is loaded only when somebody uses it."""
