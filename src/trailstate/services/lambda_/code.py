"""A function's code as a call gives it: an archive in the call or in S3, or an image.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trailstate.functions.archive import BadArchive, Codes
from trailstate.services.lambda_.found import fault
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """Where the code is kept, and what the configuration says of it."""

    members: Mapping[str, Any]
    key: str | None = None
    image: str | None = None


def code_of(call: Call, codes: Codes, door: Door, given: Mapping[str, Any], package: str) -> FunctionCode:
    """The code that a call gives, kept; InvalidParameterValueException where it gives none that could be."""
    if package == "Image":
        image = str(given.get("ImageUri") or "")
        if not image:
            raise fault.InvalidParameterValueException("Please provide ImageUri for a function of package type Image.")
        digest = hashlib.sha256(image.encode()).hexdigest()
        return FunctionCode({"CodeSize": 0, "CodeSha256": digest}, image=image)
    body = given.get("ZipFile")
    if body is None:
        body = _from_s3(call, door, given)
    try:
        key = codes.keep(call.account, body)
    except BadArchive as error:
        raise fault.InvalidParameterValueException(f"Could not unzip uploaded file: {error}.") from error
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return FunctionCode({"CodeSize": len(body), "CodeSha256": digest}, key=key)


def _from_s3(call: Call, door: Door, given: Mapping[str, Any]) -> bytes:
    """The object, fetched as the caller, who must be allowed to read it."""
    if not (given.get("S3Bucket") and given.get("S3Key")):
        raise fault.InvalidParameterValueException("Please provide a source for function code.")
    wanted = {"Bucket": given["S3Bucket"], "Key": given["S3Key"]}
    if given.get("S3ObjectVersion"):
        wanted["VersionId"] = given["S3ObjectVersion"]
    by = replace(call.principal, invoked_by="lambda.amazonaws.com")
    try:
        answer = door.call("s3", "GetObject", wanted, account=call.account, region=call.region, as_=by)
    except Fault as error:
        raise fault.InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    return bytes(answer["Body"])
