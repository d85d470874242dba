"""An estate for these tests, of the size of what they ask: security groups behind a door, which can be shut."""

from collections.abc import Mapping
from typing import Any

from trailstate.configuration.discover import Discovery
from trailstate.configuration.form import Describe, Fact, ResourceType
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.recorder import RECORDER, Home, Recorders
from trailstate.configuration.recording import Recording
from trailstate.configuration.trigger import Touches, Trigger, Waiting, every_type
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import CONFIGURATION, Commit, Entry, ShelfChange, ShelfKey
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.trail.journal import Journal
from trailstate.wire.call import Principal
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld

HOME = Home("111122223333", "us-east-1")

GROUP = ResourceType(
    name="AWS::EC2::SecurityGroup",
    listing=Describe("ec2", "DescribeSecurityGroups", at="SecurityGroups[]"),
    key="GroupId",
    describe=Describe(
        "ec2", "DescribeSecurityGroups", {"GroupIds": ["{key}"]}, "SecurityGroups[]", ("InvalidGroup.NotFound",)
    ),
    listed_whole=True,
    id="{GroupId}",
    resource_name="{GroupName}",
    facts=(Fact("Rules", Describe("ec2", "DescribeSecurityGroupRules", at="SecurityGroupRules[]")),),
    touched_by={
        "CreateSecurityGroup": "responseElements.groupId",
        "AuthorizeSecurityGroupIngress": "requestParameters.groupId",
        "RevokeSecurityGroupIngress": "requestParameters.groupId",
        "DeleteSecurityGroup": "requestParameters.groupId",
        "CreateFlowLogs": (),
    },
)
TOPIC = ResourceType(
    name="AWS::SNS::Topic",
    listing=Describe("sns", "ListTopics", at="Topics[].TopicArn"),
    describe=Describe("sns", "GetTopicAttributes", {"TopicArn": "{key}"}, "Attributes", ("NotFound",)),
    id="{TopicArn}",
    touched_by={"CreateTopic": "responseElements.topicArn"},
)
TYPES = {each.name: each for each in (GROUP, TOPIC)}


class Estate:
    """Answers the calls of the two types; `faults` has the faults to raise by operation."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.rules: list[dict[str, Any]] = []
        self.faults: dict[str, Fault] = {}
        self.asked: list[str] = []

    def call(
        self, service: str, operation: str, parameters: Mapping[str, Any], *, account: str, region: str, as_: Principal
    ) -> Mapping[str, Any]:
        self.asked.append(operation)
        if operation in self.faults:
            raise self.faults[operation]
        return getattr(self, f"_{operation}")(parameters)

    def _DescribeSecurityGroups(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        wanted = parameters.get("GroupIds", list(self.groups))
        if not set(wanted) <= set(self.groups):
            raise Fault("InvalidGroup.NotFound", "there is no such group", 400, "ec2")
        return {"SecurityGroups": [self.groups[each] for each in wanted]}

    def _DescribeSecurityGroupRules(self, _: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"SecurityGroupRules": self.rules}

    def _ListTopics(self, _: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"Topics": []}


class House:
    """The recorder's parts on memory stores, stepped by `settle`."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.world = SimulatedWorld()
        self.store = MemoryStore(self.world, faults)
        self.derived = Derived(None)
        self.runner = Runner(self.store, self.world)
        self.estate = Estate()
        self.recorders = Recorders(self.store)
        self.history = ConfigurationHistory(self.store, self.derived, self.runner)
        self.runner.add(self.history.follower)
        trigger = Trigger(self.store, Touches(TYPES.values()), self.recorders)
        self.runner.add(trigger)
        discovery, waiting = Discovery(self.estate), Waiting(self.store, self.runner, trigger)
        recording = Recording(self.world, self.store, discovery, self.history, self.recorders, TYPES, waiting)
        for shipper in recording.shippers():
            self.runner.add_shipper(shipper)
        self.record()

    def record(self, **members: Any) -> None:
        """A recorder of everything, on unless `members` say otherwise."""
        group = {
            "includeGlobalResourceTypes": True,
            "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
        }
        recorder = {"name": "default", "recording": True, "recordingGroup": group} | members
        key = ShelfKey(HOME.account, HOME.region, RECORDER, "default")
        self.store.commit(Commit(shelf=[ShelfChange(key, recorder)]))

    def called(self, event: str, source: str = "ec2", **members: Any) -> dict[str, Any]:
        """A call of this name went into the journal."""
        record = {
            "eventID": self.world.uuid(),
            "eventName": event,
            "eventSource": f"{source}.amazonaws.com",
            "eventTime": "2026-01-15T09:30:00Z",
            "eventCategory": "Management",
            "readOnly": False,
            "awsRegion": HOME.region,
            "recipientAccountId": HOME.account,
            "sourceIPAddress": "198.51.100.7",
            "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ana"},
            **members,
        }
        Journal(self.store).append([record])
        return record

    def look(self) -> None:
        """A round over everything begins."""
        self.store.commit(Commit(outbox=every_type(HOME, TYPES.values(), self.world.uuid())))

    def settle(self) -> None:
        self.runner.run_until_idle()
        assert self.history.catch_up()

    def items(self) -> list[Entry]:
        return self.store.read(CONFIGURATION, 0, 1000)
