"""What a type keeps beyond the published schema, in the casing of its items; keys that are data keep their spelling."""

from trailstate.configuration.form import Describe, ResourceType
from trailstate.configuration.project import projection


def a_stage(*keeps: str) -> ResourceType:
    listing = Describe("apigatewayv2", "GetStages", at="Items[]")
    return ResourceType(name="AWS::ApiGatewayV2::Stage", listing=listing, keeps=keeps)


RAW = {"StageName": "live", "RouteSettings": {"GET /": {"LoggingLevel": "INFO"}}}


def test_what_the_schema_does_not_name_is_dropped() -> None:
    assert projection(a_stage()).value(RAW) == {"stageName": "live"}


def test_a_kept_member_is_cased_to_the_bottom() -> None:
    kept = projection(a_stage("RouteSettings")).value(RAW)
    assert kept["routeSettings"] == {"gET /": {"loggingLevel": "INFO"}}


def test_keys_that_are_data_keep_their_spelling() -> None:
    kept = projection(a_stage("RouteSettings{}")).value(RAW)
    assert kept["routeSettings"] == {"GET /": {"loggingLevel": "INFO"}}
