"""The family of `*-description` rules: somebody said in a sentence what the resource is for.

Items leave a description out when there is none, so its absence is one.
"""

from collections.abc import Mapping

from trailstate.compliance.catalogue import managed_rules
from trailstate.compliance.form import is_given, non_compliant, require

_FIELDS: Mapping[str, str] = {
    "APIGATEWAYV2_STAGE_DESCRIPTION": "description",
    "APIGATEWAY_STAGE_DESCRIPTION": "description",
    "CLOUDWATCH_ALARM_DESCRIPTION": "alarmDescription",
    "ELASTICBEANSTALK_APPLICATION_DESCRIPTION": "description",
    "ELASTICBEANSTALK_APPLICATION_VERSION_DESCRIPTION": "description",
    "ELASTICBEANSTALK_ENVIRONMENT_DESCRIPTION": "description",
    "IAM_POLICY_DESCRIPTION": "description",
    "LAMBDA_FUNCTION_DESCRIPTION": "description",
    "SAGEMAKER_IMAGE_DESCRIPTION": "ImageDescription",
}
"""Where types described by their own calls keep it; the others are described by CloudFormation, as `Description`."""

FAMILY = tuple(managed for name, managed in managed_rules().items() if name.endswith("_DESCRIPTION"))

for _managed in FAMILY:
    require(
        _managed.id,
        _managed.types,
        f"configuration.{_FIELDS.get(_managed.id, 'Description')}",
        is_given,
        absent=non_compliant("The resource has no description."),
        says="The resource has no description.",
    )
