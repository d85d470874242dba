"""What a request's Host says: an S3 bucket, a region, a service's endpoint prefix.

Follows "Virtual hosting of buckets" in the S3 user guide and "AWS service endpoints" in the AWS General Reference;
`localhost` and `localhost.localstack.cloud` stand where clients of simulators put them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_REGION = r"[a-z]{2,3}(?:-[a-z]+){1,2}-\d"
_SUFFIX = r"(?:amazonaws\.com(?:\.cn)?|api\.aws|localhost\.localstack\.cloud)"
_SERVICE = re.compile(rf"(?P<prefix>.+?)(?:[.-](?P<region>{_REGION}))?(?:\.dualstack)?\.{_SUFFIX}")
_BUCKET = re.compile(
    rf"(?P<bucket>.+)\.s3(?!-control|-outposts|-object-lambda)(?:[.-][a-z0-9-]+)*\.(?:{_SUFFIX}|localhost)"
    rf"|(?P<express>.+)\.s3express-[a-z0-9-]+\.(?:[a-z0-9-]+\.)*{_SUFFIX}"
)
_LOCAL_BUCKET = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.localhost")
_FIND_REGION = re.compile(rf"(?:^|[.-])(?P<region>{_REGION})(?=\.)")


@dataclass(frozen=True, slots=True)
class Host:
    """A Host header, read."""

    name: str = ""
    """Lower case, without the port."""
    endpoint_prefix: str = ""
    """`monitoring`, `api.sagemaker`; may have an operation's own prefix before it; empty for a host not AWS's."""
    region: str = ""
    bucket: str | None = None
    """The bucket of a virtual-hosted S3 request."""
    local_bucket: str | None = None
    """The first part of `something.localhost`: a bucket, if the request is for S3 at all."""

    def names(self, endpoint_prefix: str) -> bool:
        """Whether this is the host of a service with that endpoint prefix."""
        return self.endpoint_prefix == endpoint_prefix or self.endpoint_prefix.endswith("." + endpoint_prefix)


@lru_cache(maxsize=1024)
def read_host(header: str) -> Host:
    """The parts of a Host header."""
    name = header.lower().partition(":")[0].rstrip(".")
    virtual, local = _BUCKET.fullmatch(name), _LOCAL_BUCKET.fullmatch(name)
    bucket = (virtual["bucket"] or virtual["express"]) if virtual else None
    service, region = _SERVICE.fullmatch(name), _FIND_REGION.search(name)
    return Host(
        name,
        endpoint_prefix="s3" if bucket else service["prefix"] if service else "",
        region=region["region"] if region else "",
        bucket=bucket,
        local_bucket=local["bucket"] if local and not bucket and local["bucket"] != "s3" else None,
    )
