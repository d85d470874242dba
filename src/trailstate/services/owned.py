"""Who answers what: the services that are the house's own; every other goes to the estate.

An operation of an owned service that has no function yet is refused with a modelled error. It never succeeds somewhere
else, because a trail that records nothing or a rule that judges nothing would be worse than none.
"""

import importlib
import pkgutil
from collections.abc import Mapping

from trailstate import services
from trailstate.services.operation import OPERATIONS, Operation
from trailstate.wire import model

OWNED_SERVICES = (
    "athena",
    "cloudtrail",
    "cloudtrail-data",
    "cloudwatch",
    "config",
    "events",
    "lambda",
    "logs",
    "sns",
)
"""Every operation of these is ours, done or not yet."""

OWNED_OPERATIONS = {
    "glue": (
        "BatchCreatePartition",
        "BatchDeletePartition",
        "BatchDeleteTable",
        "BatchDeleteTableVersion",
        "BatchGetPartition",
        "BatchUpdatePartition",
        "CreateDatabase",
        "CreatePartition",
        "CreatePartitionIndex",
        "CreateTable",
        "DeleteColumnStatisticsForPartition",
        "DeleteColumnStatisticsForTable",
        "DeleteDatabase",
        "DeletePartition",
        "DeletePartitionIndex",
        "DeleteTable",
        "DeleteTableVersion",
        "GetColumnStatisticsForPartition",
        "GetColumnStatisticsForTable",
        "GetDatabase",
        "GetDatabases",
        "GetPartition",
        "GetPartitionIndexes",
        "GetPartitions",
        "GetTable",
        "GetTableVersion",
        "GetTableVersions",
        "GetTables",
        "GetUnfilteredPartitionMetadata",
        "GetUnfilteredPartitionsMetadata",
        "GetUnfilteredTableMetadata",
        "SearchTables",
        "UpdateColumnStatisticsForPartition",
        "UpdateColumnStatisticsForTable",
        "UpdateDatabase",
        "UpdatePartition",
        "UpdateTable",
    ),
    "sts": ("GetCallerIdentity",),
    "ssm": (
        "AddTagsToResource",
        "CreateDocument",
        "DeleteDocument",
        "DescribeAutomationExecutions",
        "DescribeAutomationStepExecutions",
        "DescribeDocument",
        "DescribeDocumentPermission",
        "GetAutomationExecution",
        "GetDocument",
        "ListDocumentVersions",
        "ListDocuments",
        "ListTagsForResource",
        "ModifyDocumentPermission",
        "RemoveTagsFromResource",
        "SendAutomationSignal",
        "StartAutomationExecution",
        "StopAutomationExecution",
        "UpdateDocument",
        "UpdateDocumentDefaultVersion",
    ),
}
"""Single operations of services that otherwise belong to the estate: who calls is known at the front door alone,
automations run here, and Glue's catalogue is the one that Athena asks."""


def operations() -> Mapping[tuple[str, str], Operation]:
    """Every operation that the house answers, by (service, API name): those of every module of a service beside."""
    for found in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        importlib.import_module(found.name)
    return OPERATIONS


def is_owned(service: str, operation: str) -> bool:
    return service in OWNED_SERVICES or operation in OWNED_OPERATIONS.get(service, ())


def ownership() -> dict[str, dict[str, list[str]]]:
    """Per owned service: the operations that are `done` and those that are `not_yet` (refused by name)."""
    done = operations()
    table: dict[str, dict[str, list[str]]] = {}
    for service in (*OWNED_SERVICES, *OWNED_OPERATIONS):
        names = OWNED_OPERATIONS.get(service) or model.service_model(service).operation_names
        table[service] = {
            "done": sorted(name for name in names if (service, name) in done),
            "not_yet": sorted(name for name in names if (service, name) not in done),
        }
    return table
