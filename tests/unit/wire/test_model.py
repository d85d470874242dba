from concurrent.futures import ThreadPoolExecutor

import pytest

from trailstate.wire import model


def test_a_model_is_opened_once_whoever_asks() -> None:
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(model.service_model, ["athena"] * 16))
    assert len({id(found) for found in models}) == 1


def test_an_operation_has_its_input_shape() -> None:
    shape = model.operation_model("cloudtrail", "LookupEvents").input_shape
    assert "LookupAttributes" in shape.members


def test_documentation_is_left_out() -> None:
    assert model.operation_model("cloudtrail", "LookupEvents").documentation == ""


@pytest.mark.parametrize(("service", "operation"), [("nosuch", "X"), ("cloudtrail", "Nope")])
def test_an_unknown_name_is_a_lookup_error_that_says_it(service: str, operation: str) -> None:
    with pytest.raises(LookupError, match=r"nosuch|Nope"):
        model.operation_model(service, operation)


def test_the_protocol_is_the_one_that_botocore_speaks() -> None:
    assert [model.protocol(name) for name in ("cloudwatch", "ec2", "s3", "lambda", "iam")] == [
        "json",
        "ec2",
        "rest-xml",
        "rest-json",
        "query",
    ]
