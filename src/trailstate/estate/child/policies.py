"""AWS's managed policies are read once, and every account holds the same texts.

moto parses its four megabytes of them again for each account: five megabytes and a tenth of a second whenever an
account is first looked at, which after a reset is every time.
"""

import json
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from trailstate.estate.child.sources import replace


class Policy(NamedTuple):
    """One managed policy, as moto's class takes it."""

    name: str
    default_version_id: str
    path: str
    document: str
    create_date: datetime
    update_date: datetime


@cache
def policies() -> tuple[Policy, ...]:
    """All that moto knows, in its order; the text they are read from is given back."""
    from moto.iam import aws_managed_policies, models

    rows: dict[str, dict[str, Any]] = json.loads(aws_managed_policies.aws_managed_policies_data)
    for place in (aws_managed_policies, models):
        replace(place, "aws_managed_policies_data", "{}")
    return tuple(
        Policy(
            name,
            row["DefaultVersionId"],
            row["Path"],
            json.dumps(row["Document"]),
            datetime.fromisoformat(row["CreateDate"]),
            datetime.fromisoformat(row["UpdateDate"]),
        )
        for name, row in rows.items()
    )


def read_policies_once() -> None:
    """From here on an account's managed policies are made from the common ones."""
    from moto.iam.models import AWSManagedPolicy, IAMBackend

    def of_account(backend: Any) -> list[Any]:
        account, region = backend.account_id, backend.region_name
        make: Any = AWSManagedPolicy
        return [make(account_id=account, region=region, **each._asdict()) for each in policies()]

    replace(IAMBackend, "_init_aws_policies", of_account)
