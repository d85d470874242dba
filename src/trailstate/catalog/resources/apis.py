"""API Gateway: REST and HTTP APIs and their stages. Ids are ARNs; a stage's key is that of its API, `/`, its name."""

from typing import Any

from trailstate.catalog.touch import answered, anywhere, asked
from trailstate.configuration.form import Describe, Look, Relation, ResourceType

GONE = ("NotFoundException",)

REST_API = ResourceType(
    name="AWS::ApiGateway::RestApi",
    listing=Describe("apigateway", "GetRestApis", at="items[]"),
    key="id",
    describe=Describe("apigateway", "GetRestApi", {"restApiId": "{key}"}, absent=GONE),
    listed_whole=True,
    id="arn:aws:apigateway:{region}::/restapis/{key}",
    resource_name="{name}",
    arn="arn:aws:apigateway:{region}::/restapis/{key}",
    created="{createdDate}",
    tags="tags",
    touched_by=answered("id", "CreateRestApi", "ImportRestApi")
    | asked(
        "restApiId",
        "CreateDeployment",
        "CreateResource",
        "DeleteDeployment",
        "DeleteIntegration",
        "DeleteMethod",
        "DeleteResource",
        "DeleteRestApi",
        "PutIntegration",
        "PutIntegrationResponse",
        "PutMethod",
        "PutMethodResponse",
        "PutRestApi",
        "UpdateRestApi",
    )
    | anywhere("TagResource", "UntagResource"),
)


def _stages(look: Look) -> Any:
    listed = look.ask(Describe("apigateway", "GetRestApis", at="items[].id")) or ()
    asked_for = {api: look.ask(Describe("apigateway", "GetStages", {"restApiId": api}, "item", GONE)) for api in listed}
    return [_staged(look, api, stage) for api, stages in asked_for.items() for stage in stages or ()]


def _stage(look: Look) -> Any:
    api, _, name = look.key.partition("/")
    stage = look.ask(Describe("apigateway", "GetStage", {"restApiId": api, "stageName": name}, absent=GONE))
    return stage and _staged(look, api, stage)


def _staged(look: Look, api: str, stage: dict[str, Any]) -> dict[str, Any]:
    return {**stage, "Key": f"{api}/{stage['stageName']}", "Api": f"arn:aws:apigateway:{look.region}::/restapis/{api}"}


STAGE = ResourceType(
    name="AWS::ApiGateway::Stage",
    listing=_stages,
    key="Key",
    describe=_stage,
    listed_whole=True,
    id="{Api}/stages/{stageName}",
    resource_name="{stageName}",
    arn="{Api}/stages/{stageName}",
    created="{createdDate}",
    tags="tags",
    keeps=("methodSettings{}", "variables{}"),
    relations=(Relation("AWS::ApiGateway::RestApi", "Is contained in ", at="Api"),),
    service="apigateway",
    touched_by=anywhere(
        "CreateDeployment", "CreateStage", "DeleteRestApi", "DeleteStage", "TagResource", "UntagResource", "UpdateStage"
    ),
)

HTTP_API = ResourceType(
    name="AWS::ApiGatewayV2::Api",
    listing=Describe("apigatewayv2", "GetApis", at="Items[]"),
    key="ApiId",
    describe=Describe("apigatewayv2", "GetApi", {"ApiId": "{key}"}, absent=GONE),
    listed_whole=True,
    id="arn:aws:apigateway:{region}::/apis/{key}",
    resource_name="{Name}",
    arn="arn:aws:apigateway:{region}::/apis/{key}",
    created="{CreatedDate}",
    touched_by=answered("apiId", "CreateApi", "ImportApi")
    | asked("apiId", "DeleteApi", "DeleteCorsConfiguration", "ReimportApi", "UpdateApi")
    | asked("apiId", "CreateIntegration", "CreateRoute", "DeleteIntegration", "DeleteRoute", "UpdateRoute")
    | anywhere("TagResource", "UntagResource"),
)


def _http_stages(look: Look) -> Any:
    listed = look.ask(Describe("apigatewayv2", "GetApis", at="Items[].ApiId")) or ()
    asked_for = {
        api: look.ask(Describe("apigatewayv2", "GetStages", {"ApiId": api}, "Items[]", GONE)) for api in listed
    }
    return [_http_staged(look, api, stage) for api, stages in asked_for.items() for stage in stages or ()]


def _http_stage(look: Look) -> Any:
    api, _, name = look.key.partition("/")
    stage = look.ask(Describe("apigatewayv2", "GetStage", {"ApiId": api, "StageName": name}, absent=GONE))
    return stage and _http_staged(look, api, stage)


def _http_staged(look: Look, api: str, stage: dict[str, Any]) -> dict[str, Any]:
    return {**stage, "Key": f"{api}/{stage['StageName']}", "Api": f"arn:aws:apigateway:{look.region}::/apis/{api}"}


HTTP_STAGE = ResourceType(
    name="AWS::ApiGatewayV2::Stage",
    listing=_http_stages,
    key="Key",
    describe=_http_stage,
    listed_whole=True,
    id="{Api}/stages/{StageName}",
    resource_name="{StageName}",
    arn="{Api}/stages/{StageName}",
    created="{CreatedDate}",
    keeps=("RouteSettings{}", "StageVariables{}"),
    relations=(Relation("AWS::ApiGatewayV2::Api", "Is contained in ", at="Api"),),
    service="apigatewayv2",
    touched_by=anywhere(
        "CreateDeployment",
        "CreateStage",
        "DeleteAccessLogSettings",
        "DeleteApi",
        "DeleteRouteSettings",
        "DeleteStage",
        "TagResource",
        "UntagResource",
        "UpdateStage",
    ),
)

RESOURCES = (REST_API, STAGE, HTTP_API, HTTP_STAGE)
