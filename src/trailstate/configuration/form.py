"""What a resource type is: a declaration of calls and paths, from which configuration items follow.

Follows "Components of a configuration item" in the AWS Config developer guide, and the published resource schema.

A type answers five questions, each with the smallest form that can say it:

- *What is there?* `listing` shows every resource of a region. Each entry yields the resource's **key** at the path
  `key` (empty: the entry itself, a string): the word by which the API's calls speak of it. It need not be the
  resource's id: an IAM user's key is its name, its id `AIDA...`.
- *What does one look like?* `describe` asks by key. Its answer is laid over the listed entry; the two, and what
  `more` adds under names of its own, are the **raw** resource, in the spelling of the API (as boto3 shows it). Types
  whose list tells everything say `listed_whole`; without `describe` the list is read and searched.
- *What does AWS Config say of it?* `id`, `resource_name`, `arn`, `created`, `zone` and `home` are **templates** over
  raw: text with `{A.path}` in it, beside `{key}`, `{account}` and `{region}`; one that is a single placeholder keeps
  its value's type, and one with a placeholder that nothing fills is None. `configuration` is raw itself, cased, typed
  and cut to the published schema of the type; `renames` name the keys that differ, `keeps` what genuine items hold
  although the schema, which lists what can be searched, does not. `finish` is a function for what no table can say.
  A type without a published schema keeps every key.
- *What belongs to it?* `relations` point to other resources; `parts` are the entries of `supplementaryConfiguration`,
  each by a call of its own; `facts` are what rules need and genuine items do not hold, kept beside the item.
- *When may it have changed?* `touched_by` maps the `eventName` of a recorded call to the places in the record where
  the keys stand, or to `ALL`. A call that changes something and that no type of the service knows re-lists them all.

**Paths** are member names joined by dots; `[]` goes into every element of a list: `Reservations[].Instances[]`. A call
whose `at` holds a `[]` is asked page by page until the end. **Absent** codes are errors that mean "there is none". Any
other error is a failure: the last known item stays, the recorder's status shows the failure, and it is tried again.

    VOLUME = ResourceType(
        name="AWS::EC2::Volume",
        listing=Describe("ec2", "DescribeVolumes", at="Volumes[]"),
        key="VolumeId",
        describe=Describe("ec2", "DescribeVolumes", {"VolumeIds": ["{key}"]}, "Volumes[]", ("InvalidVolume.NotFound",)),
        listed_whole=True,
        id="{VolumeId}",
        arn="arn:aws:ec2:{region}:{account}:volume/{VolumeId}",
        created="{CreateTime}",
        zone="{AvailabilityZone}",
        relations=(Relation("AWS::EC2::Instance", "Is attached to Instance", at="Attachments[].InstanceId"),),
        touched_by={"CreateVolume": "responseElements.volumeId", "AttachVolume": "requestParameters.volumeId"},
    )
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

ALL = ""
"""In `touched_by`: the call does not say which resources it touched, so all of the type are listed again."""

NOT_APPLICABLE = "Not Applicable"
REGIONAL = "Regional"
"""What items say of their availability zone when they have none; S3 buckets and newer types say Regional."""

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Describe:
    """One call, and what of its answer is wanted."""

    service: str
    """botocore's name of the service."""
    operation: str
    """The API's name of the operation."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Templates over the resource, at any depth."""
    at: str = ""
    """The path of what is wanted; empty: the whole answer. Where one is wanted and a list is found: its first."""
    absent: Sequence[str] = ()
    """Error codes that mean there is none."""


class Look(Protocol):
    """What a function in place of a call may see and ask."""

    @property
    def key(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def raw(self) -> Raw:
        """The resource as far as it is known; empty while listing."""

    def ask(self, source: Describe) -> Any:
        """The wanted part of the answer (of every page, if `at` holds a `[]`); None when absent."""


Source = Describe | Callable[[Look], Any]
"""A call; or a function that makes several and joins their answers. It returns None when there is nothing."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Other resources that the raw resource names."""

    type: str
    name: str
    """AWS's text, e.g. `Is contained in Vpc`; newer types write the relation and one blank."""
    at: str
    """The path of each related thing in raw."""
    id: str | None = ""
    """Where its id stands within the thing; empty: the thing itself; None: only its name is known."""
    resource_name: str | None = None
    """Where its name stands within the thing, likewise."""
    read: Callable[[str], str] = str
    """Makes the id or name of what stands there, e.g. the last part of an ARN; an empty text means none."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One entry of `supplementaryConfiguration`; left out when its call finds none or the estate lacks the call."""

    name: str
    source: Source
    shape: Callable[[Any], Any] | None = None
    """Rearranges the answer, still in the API's spelling, before it is cased and typed."""
    renames: Mapping[str, str] = field(default_factory=dict)
    keeps: Sequence[str] = ()
    as_text: bool = False
    """The value is JSON in a string (S3's AccessControlList)."""
    plain: bool = False
    """The value goes in as `shape` made it: neither cased nor cut."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something beside the item, in the API's spelling, times as ISO 8601 text. None when the call finds none; missing
    when the estate lacks the call, so that no rule takes silence for an answer."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource as its calls showed it."""

    key: str
    account: str
    region: str
    raw: Raw
    parts: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


Finish = Callable[[dict[str, Any], Seen], Any]
"""Gets the projected `configuration` and what was seen, returns the configuration to record."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResourceType:
    """A type of resource, declared."""

    name: str
    listing: Source
    key: str = ""
    describe: Source | None = None
    listed_whole: bool = False
    """The list shows as much as `describe` would, so listing needs no second call."""
    more: Mapping[str, Source] = field(default_factory=dict)
    """Further members of raw, by name, each by a call of its own."""

    id: str = "{key}"
    resource_name: str = ""
    arn: str = ""
    created: str = ""
    zone: str = NOT_APPLICABLE
    home: str = ""
    """The region a resource belongs to, where its list shows those of every region (S3 buckets)."""
    is_global: bool = False
    """Belongs to no region (IAM): its items say `global`, and a recorder says whether it records such types."""
    tags: str = "Tags"
    """The path in raw of the tags: a list of Key and Value (any casing, TagKey and TagValue too), or a map."""

    renames: Mapping[str, str] = field(default_factory=dict)
    """Raw path -> the key it has in the item (at the same place)."""
    keeps: Sequence[str] = ()
    """Raw paths kept, with all that is below them, although the published schema does not name them; a path that ends
    in `{}` is that of a map whose keys are data and keep their spelling."""
    pascal: bool | None = None
    """Whether keys are PascalCase as in CloudFormation, or camelCase; None: as the published schema says."""
    finish: Finish | None = None

    relations: Sequence[Relation] = ()
    parts: Sequence[Part] = ()
    facts: Sequence[Fact] = ()

    service: str = ""
    """botocore's name of the service whose recorded calls touch it; empty: that of `listing`."""
    touched_by: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """eventName (of another service: `service:eventName`) -> the path, or paths, in the record where keys stand, or
    ALL. Where nothing stands at any of them, all are listed again."""
    read_key: Callable[[str], str] = str
    """Makes the key of what stands in a record, e.g. the name of an ARN; an empty text: that is of another type."""

    @property
    def touching_service(self) -> str:
        """The service whose calls touch the type."""
        if self.service:
            return self.service
        assert isinstance(self.listing, Describe), f"{self.name} lists by a function and must name its service"
        return self.listing.service
