"""Where log groups, streams and their filters stand on the Shelf, and how much of each there may be.

CloudWatch Logs user guide, "CloudWatch Logs quotas".
"""

GROUP = "logs.group"
METRIC_FILTERS_MAX = 100
SUBSCRIPTION_FILTERS_MAX = 2
GROUPS_MAX = 1_000_000
STREAMS_MAX = 100_000
"""Ours: of one group."""

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
DAY_MS = 86_400_000


def streams(group: str) -> str:
    """The kind under which a group's streams stand."""
    return f"logs.stream/{group}"


def metric_filters(group: str) -> str:
    return f"logs.metric_filter/{group}"


def subscription_filters(group: str) -> str:
    return f"logs.subscription_filter/{group}"
