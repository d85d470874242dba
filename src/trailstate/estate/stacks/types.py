"""Every resource type of stacks that is the house's own, and what marks a type as ours.

A stack is the estate's; what it does to something of ours comes out of the estate as calls of the stack's caller. A
type is ours when its service is, or the operation that creates it; one that has no row fails its stack by name.
"""

from collections.abc import Callable, Collection

from trailstate.estate.stacks.config import CONFIG
from trailstate.estate.stacks.logs import LOGS
from trailstate.estate.stacks.programs import LAMBDA, SSM
from trailstate.estate.stacks.telling import CLOUDWATCH, EVENTS, SNS
from trailstate.estate.stacks.trails import TRAILS

TYPES = {each.name: each for types in (TRAILS, CONFIG, SNS, EVENTS, CLOUDWATCH, LOGS, LAMBDA, SSM) for each in types}

NAMESPACES = {
    "AWS::Athena::": "athena",
    "AWS::CloudTrail::": "cloudtrail",
    "AWS::CloudWatch::": "cloudwatch",
    "AWS::Config::": "config",
    "AWS::Events::": "events",
    "AWS::Lambda::": "lambda",
    "AWS::Logs::": "logs",
    "AWS::SNS::": "sns",
    "AWS::SSM::": "ssm",
}
"""Where the types of a service stand."""


def ours(services: Collection[str], is_owned: Callable[[str, str], bool]) -> list[str]:
    """What marks a type as the house's: the namespace of a whole service, or the type's own name."""
    whole = [namespace for namespace, service in NAMESPACES.items() if service in services]
    single = [each.name for each in TYPES.values() if is_owned(each.service, each.create[0].operation)]
    return whole + [name for name in single if not name.startswith(tuple(whole))]
