"""The errors that every service can answer, as each service spells them.

Follows the "Common Errors" page of each service's API reference, and the errors pages of EC2 and S3. Which
spelling applies is a table: the service's row, else the protocol's, else the row `*`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from trailstate.wire.fault import Fault, faults

RETRY_AFTER_SECONDS = 2
OPERATION_CHARACTERS_MAX = 256


class Spelling(NamedTuple):
    """How one protocol or service writes a common error. The message may use {operation} and {parameter}."""

    code: str
    status: int
    message: str = ""


_Table = Mapping[str, Spelling]

UNKNOWN_OPERATION: _Table = {
    "*": Spelling("UnknownOperationException", 400, "The operation {operation} is not known to this service."),
    "rest-json": Spelling("UnknownOperationException", 404, "No operation of this service answers {operation}."),
    "rest-xml": Spelling("UnknownOperationException", 404, "No operation of this service answers {operation}."),
    "query": Spelling("InvalidAction", 400, "Could not find operation {operation}."),
    "ec2": Spelling("InvalidAction", 400, "The action {operation} is not valid for this web service."),
    "s3": Spelling("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
}

SERIALIZATION: _Table = {
    "*": Spelling("SerializationException", 400, "The request could not be read."),
    "query": Spelling("MalformedInput", 400, "The request could not be read."),
    "ec2": Spelling("InvalidParameterValue", 400, "The request could not be read."),
    "rest-xml": Spelling("MalformedInput", 400, "The XML of the request could not be read."),
    "route53": Spelling("InvalidInput", 400, "The XML of the request could not be read."),
    "s3": Spelling(
        "MalformedXML", 400, "The XML of the request could not be read, or does not have the expected form."
    ),
}

VALIDATION: _Table = {
    "*": Spelling("ValidationException", 400),
    "query": Spelling("ValidationError", 400),
    "ec2": Spelling("InvalidParameterValue", 400),
    "rest-xml": Spelling("InvalidInput", 400),
    "cloudwatch": Spelling("ValidationError", 400),
    "logs": Spelling("InvalidParameterException", 400),
    "s3": Spelling("InvalidArgument", 400),
    "sqs": Spelling("InvalidParameterValue", 400),
}

MISSING_PARAMETER: _Table = {
    "*": Spelling("ValidationException", 400, "The request must contain the parameter {parameter}."),
    "query": Spelling("ValidationError", 400, "The request must contain the parameter {parameter}."),
    "ec2": Spelling("MissingParameter", 400, "The request must contain the parameter {parameter}"),
    "cloudwatch": Spelling("MissingParameter", 400, "The parameter {parameter} is required."),
    "s3": Spelling("InvalidRequest", 400, "The request must contain the parameter {parameter}."),
    "sqs": Spelling("MissingParameter", 400, "The request must contain the parameter {parameter}."),
}

THROTTLING: _Table = {
    "*": Spelling("ThrottlingException", 400, "Rate exceeded"),
    "rest-json": Spelling("ThrottlingException", 429, "Rate exceeded"),
    "query": Spelling("Throttling", 400, "Rate exceeded"),
    "rest-xml": Spelling("Throttling", 400, "Rate exceeded"),
    "ec2": Spelling("RequestLimitExceeded", 503, "Request limit exceeded."),
    "cloudwatch": Spelling("Throttling", 400, "Rate exceeded"),
    "lambda": Spelling("TooManyRequestsException", 429, "Rate exceeded"),
    "s3": Spelling("SlowDown", 503, "Please reduce your request rate."),
    "sqs": Spelling("RequestThrottled", 403, "Rate exceeded"),
}

INTERNAL_FAILURE: _Table = {
    "*": Spelling("InternalFailure", 500, "The request failed because of an internal error; see the server's log."),
    "ec2": Spelling("InternalError", 500, "An internal error has occurred; see the server's log."),
    "s3": Spelling("InternalError", 500, "We encountered an internal error. Please try again."),
}

SERVICE_UNAVAILABLE: _Table = {
    "*": Spelling("ServiceUnavailable", 503, "The service cannot answer at the moment; try again."),
}

ACCESS_DENIED: _Table = {
    "*": Spelling("AccessDeniedException", 400),
    "rest-json": Spelling("AccessDeniedException", 403),
    "query": Spelling("AccessDenied", 403),
    "rest-xml": Spelling("AccessDenied", 403),
    "ec2": Spelling("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
    "cloudwatch": Spelling("AccessDenied", 403),
    "s3": Spelling("AccessDenied", 403, "Access Denied"),
    "sns": Spelling("AuthorizationError", 403),
    "sqs": Spelling("AccessDenied", 403),
}

INCOMPLETE_SIGNATURE: _Table = {
    "*": Spelling("IncompleteSignatureException", 400, "The Authorization header is incomplete."),
    "rest-json": Spelling("IncompleteSignatureException", 403, "The Authorization header is incomplete."),
    "query": Spelling("IncompleteSignature", 400, "The Authorization header is incomplete."),
    "rest-xml": Spelling("IncompleteSignature", 400, "The Authorization header is incomplete."),
    "ec2": Spelling("IncompleteSignature", 400, "The Authorization header is incomplete."),
    "s3": Spelling("AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid."),
}

REQUEST_TOO_LARGE: _Table = {
    "*": Spelling("RequestEntityTooLargeException", 413, "The request is larger than this service accepts."),
    "query": Spelling("RequestEntityTooLarge", 413, "The request is larger than this service accepts."),
    "ec2": Spelling("RequestEntityTooLarge", 413, "The request is larger than this service accepts."),
    "rest-xml": Spelling("RequestEntityTooLarge", 413, "The request is larger than this service accepts."),
    "s3": Spelling("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"),
}

MISSING_ACTION: _Table = {
    "*": Spelling("UnknownOperationException", 400, "The request names no operation."),
    "rest-json": Spelling("UnknownOperationException", 404, "The request names no operation."),
    "query": Spelling("MissingAction", 400, "The request is missing an action or a required parameter."),
    "ec2": Spelling("MissingAction", 400, "The request is missing an action or a required parameter."),
    "s3": Spelling("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
}


def common_fault(table: _Table, service: str | None, protocol: str, message: str = "", **names: str) -> Fault:
    """A shared error in the spelling of this service and protocol; `message` replaces the table's own."""
    spelling = table.get(service or "") or table.get(protocol) or table["*"]
    return Fault(spelling.code, message or spelling.message.format(**names), spelling.status, service)


_SAY_UNSUPPORTED = ("cloudtrail", "cloudtrail-data")
"""Owned services whose model has an exception for a request that is known and not supported."""


def unknown_operation(service: str | None, protocol: str, operation: str) -> Fault:
    """The service's model has no such operation."""
    return common_fault(UNKNOWN_OPERATION, service, protocol, operation=operation[:OPERATION_CHARACTERS_MAX])


NOT_SUPPORTED = "is not supported by Trailstate yet"


def not_supported(service: str | None, protocol: str, operation: str) -> Fault:
    """The operation exists, and nobody here answers it; by the exception that the model has for that, if it has one."""
    message = f"The operation {operation[:OPERATION_CHARACTERS_MAX]} {NOT_SUPPORTED}"
    if service in _SAY_UNSUPPORTED:
        return faults(service).UnsupportedOperationException(message)
    return common_fault(UNKNOWN_OPERATION, service, protocol, message)


def is_not_supported(fault: Fault) -> bool:
    """Whether the call failed because nobody answers its operation, here or at another AWS-shaped endpoint."""
    unknown = {spelling.code for spelling in UNKNOWN_OPERATION.values()}
    return NOT_SUPPORTED in fault.message or fault.code in unknown or fault.status == HTTPStatus.NOT_IMPLEMENTED


def serialization_error(service: str | None, protocol: str, message: str = "") -> Fault:
    """The request cannot be read as its protocol demands."""
    return common_fault(SERIALIZATION, service, protocol, message)


def validation_error(service: str | None, protocol: str, message: str) -> Fault:
    """The request was read, and a value breaks a constraint of the model."""
    return common_fault(VALIDATION, service, protocol, message)


def missing_parameter(service: str | None, protocol: str, parameter: str) -> Fault:
    """A required parameter is absent."""
    return common_fault(MISSING_PARAMETER, service, protocol, parameter=parameter)


def throttling(service: str | None, protocol: str) -> Fault:
    """Too many requests at once."""
    return common_fault(THROTTLING, service, protocol)


def internal_failure(service: str | None, protocol: str) -> Fault:
    """Something broke here; what, is for the operator's log."""
    return common_fault(INTERNAL_FAILURE, service, protocol)


def service_unavailable(
    service: str | None, protocol: str, message: str = "", retry_after_seconds: int = RETRY_AFTER_SECONDS
) -> Fault:
    """Nobody can answer just now; the answer carries Retry-After."""
    fault = common_fault(SERVICE_UNAVAILABLE, service, protocol, message)
    fault.retry_after_seconds = retry_after_seconds
    return fault


def access_denied(service: str | None, protocol: str, message: str = "") -> Fault:
    """The caller may not do this."""
    return common_fault(ACCESS_DENIED, service, protocol, message)


def incomplete_signature(service: str | None, protocol: str, message: str = "") -> Fault:
    """The Authorization header lacks a part, or a part has the wrong form."""
    return common_fault(INCOMPLETE_SIGNATURE, service, protocol, message)


def request_too_large(service: str | None, protocol: str) -> Fault:
    """The body is over the bound of this service."""
    return common_fault(REQUEST_TOO_LARGE, service, protocol)


def missing_action(service: str | None, protocol: str) -> Fault:
    """The request does not say which operation it wants."""
    return common_fault(MISSING_ACTION, service, protocol)
