"""CloudTrail: a trail, at home in the region where it was made, with its logging status and selectors as facts."""

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import REQUEST, RESPONSE, asked, at
from trailstate.configuration.form import REGIONAL, Describe, Fact, ResourceType

GONE = ("TrailNotFoundException",)


def _trail_name(text: str) -> str:
    """The name of a name or ARN; ARNs of channels and event data stores are of other types."""
    if not text.startswith("arn:"):
        return text
    kind, _, name = text.rsplit(":", 1)[-1].partition("/")
    return name if kind == "trail" else ""


TRAIL = ResourceType(
    name="AWS::CloudTrail::Trail",
    listing=Describe("cloudtrail", "DescribeTrails", {"includeShadowTrails": False}, "trailList[]"),
    key="Name",
    describe=Describe(
        "cloudtrail",
        "DescribeTrails",
        {"trailNameList": ["{key}"], "includeShadowTrails": False},
        "trailList[]",
        GONE,
    ),
    more={
        "Tags": Describe("cloudtrail", "ListTags", {"ResourceIdList": ["{TrailARN}"]}, "ResourceTagList[].TagsList[]")
    },
    resource_name="{Name}",
    arn="{TrailARN}",
    zone=REGIONAL,
    home="{HomeRegion}",
    parts=(tags_part(),),
    facts=(
        Fact("Status", Describe("cloudtrail", "GetTrailStatus", {"Name": "{TrailARN}"}, absent=GONE)),
        Fact("EventSelectors", Describe("cloudtrail", "GetEventSelectors", {"TrailName": "{TrailARN}"}, absent=GONE)),
    ),
    touched_by=asked("name", "CreateTrail", "DeleteTrail", "StartLogging", "StopLogging", "UpdateTrail")
    | at((f"{RESPONSE}.trailARN", f"{REQUEST}.trailName"), "PutEventSelectors", "PutInsightSelectors")
    | asked("resourceId", "AddTags", "RemoveTags"),
    read_key=_trail_name,
)

RESOURCES = (TRAIL,)
