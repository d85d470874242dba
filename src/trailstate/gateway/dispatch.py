"""One call from its wire form to its answer: understand, identify, do, record, answer. Also the house's own door.

Design: a call with effect in the estate leaves an intent before and an outcome after; an operation of our own commits
its record and what it changed in one transaction.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from trailstate.estate.interface import (
    Estate,
    EstateFailed,
    EstateRequest,
    EstateUnavailable,
    EstateUnsupported,
)
from trailstate.gateway.date import dated
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.record import NOTHING, AuditRefused, Recorder
from trailstate.identity import federated
from trailstate.identity.principals import Principals
from trailstate.services.operation import Bound
from trailstate.services.owned import is_owned
from trailstate.stores.interface import Store, StoreUnavailable, VersionConflict
from trailstate.stores.staged import StagedShelf
from trailstate.trail import record
from trailstate.trail.journal import Fate
from trailstate.values.arn import account_of_arn
from trailstate.wire import model
from trailstate.wire import spelling as faults
from trailstate.wire.call import Call, Failure, Outcome, Principal, WireRequest, WireResponse
from trailstate.wire.decode import decode
from trailstate.wire.encode import encode_fault, encode_result
from trailstate.wire.fault import Fault
from trailstate.wire.parse import parse, streamed, with_request_id
from trailstate.wire.route import Route, Unrouted, route
from trailstate.wire.serialize import serialize
from trailstate.wire.validate import validate
from trailstate.world import World

log = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
"""How often an own operation runs again when a document it read changed before its commit."""

NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})

S3_REQUEST_ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Dispatcher:
    """Answers wire requests, and calls of the house itself (the `Door`). Safe from any thread."""

    def __init__(
        self,
        *,
        world: World,
        store: Store,
        estate: Estate,
        principals: Principals,
        recorder: Recorder,
        handlers: Mapping[tuple[str, str], Bound],
        metrics: GatewayMetrics,
        default_region: str,
        unanswered: Fate,
        forbids: Callable[[Call], Fault | None] = lambda _: None,
    ) -> None:
        """`unanswered` says what becomes of a call that the estate had begun when it went away; `forbids`, why a call
        must not reach the estate."""
        self._world = world
        self._store = store
        self._estate = estate
        self._principals = principals
        self._recorder = recorder
        self._handlers = handlers
        self._metrics = metrics
        self._default_region = default_region
        self._unanswered = unanswered
        self._forbids = forbids

    def handle(self, request: WireRequest) -> WireResponse:
        """The answer to one request; it is recorded, durably, before this returns."""
        now = self._world.now()
        return dated(self._answer(request, now), now)

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        """The house's own work through the front door; raises Fault when the call fails. See `wire.call.Door`."""
        request = serialize(service, operation, parameters, region=region)
        call = Call(
            service=service,
            operation=operation,
            parameters=parameters,
            account=account,
            region=region,
            principal=as_,
            source_address=as_.invoked_by or "127.0.0.1",
            user_agent=as_.invoked_by or "trailstate",
            request_id=self._request_id(service),
            event_id=self._world.uuid(),
            now=self._world.now(),
            request=request,
            protocol=model.protocol(service),
        )
        outcome = self._refusing(call, lambda: self._do(call))
        if outcome.failure is not None:
            raise Fault(outcome.failure.code, outcome.failure.message, outcome.failure.status, service)
        if outcome.result is None:
            outcome = self._understood(call, outcome)
        return {**(outcome.result or {}), **streamed(model.operation_model(service, operation), outcome.response)}

    # How a request becomes a call.

    def _answer(self, request: WireRequest, now: datetime) -> WireResponse:
        try:
            found = route(request, self._default_region)
        except Unrouted as unrouted:
            return self._unrouted(request, unrouted, now)
        principal = self._caller(found.signature.access_key_id)
        if principal.type == "Unknown":
            unknown = self._call(request, found, now, principal)
            return self._finished(unknown, lambda: self._recorded(unknown, self._unavailable(unknown)))
        try:
            parameters = decode(request, found)
        except Fault as refusal:
            unread = self._call(request, found, now, principal)
            refused = self._refused(unread, refusal)
            return self._finished(unread, lambda: self._recorded(unread, refused))
        call = self._with_federated_caller(self._call(request, found, now, principal, parameters))
        return self._finished(call, lambda: self._do(call))

    def _call(
        self,
        request: WireRequest,
        found: Route | Unrouted,
        now: datetime,
        principal: Principal,
        parameters: Mapping[str, Any] = NO_PARAMETERS,
    ) -> Call:
        service = found.service or ""
        return Call(
            service=service,
            operation=found.operation,
            parameters=parameters,
            account=self._principals.account_of(principal),
            region=found.region,
            principal=principal,
            source_address=request.source_address,
            user_agent=request.header("user-agent") or "",
            request_id=self._request_id(service),
            event_id=self._world.uuid(),
            now=now,
            request=request,
            protocol=found.protocol,
            host=request.header("host") or "",
            signature=found.signature.version,
            authentication=found.signature.via,
            virtual_bucket=_virtual_bucket(found),
        )

    def _caller(self, access_key_id: str | None) -> Principal:
        """Whose key it is; of the type Unknown while the estate cannot say whether it handed the key out."""
        try:
            return self._principals.resolve(access_key_id)
        except (EstateUnavailable, EstateFailed) as error:
            log.error("the estate could not say whose key %s is: %s", access_key_id, error)
            return self._principals.unknown(access_key_id)

    def _unrouted(self, request: WireRequest, unrouted: Unrouted, now: datetime) -> WireResponse:
        """A call of an operation unknown to AWS's model is recorded when it named a service and an operation."""
        call = self._call(request, unrouted, now, self._caller(unrouted.signature.access_key_id))
        refusal = self._refused(call, unrouted)
        if not (call.service and call.operation):
            return refusal.response
        return self._finished(call, lambda: self._recorded(call, refusal))

    def _with_federated_caller(self, call: Call) -> Call:
        if call.service != "sts" or call.principal.access_key_id:
            return call
        landing = account_of_arn(str(call.parameters.get("RoleArn") or "")) or call.account
        caller = federated.from_token(call.operation, call.parameters, landing)
        return call if caller is None else replace(call, principal=caller, account=landing)

    def _request_id(self, service: str) -> str:
        return self._world.token(16, S3_REQUEST_ID_ALPHABET) if service == "s3" else self._world.uuid()

    # What is done.

    def _finished(self, call: Call, work: Callable[[], Outcome]) -> WireResponse:
        outcome = self._refusing(call, work)
        self._metrics.calls.add(call.service, "failed" if outcome.failure else "succeeded")
        return outcome.response

    def _refusing(self, call: Call, work: Callable[[], Outcome]) -> Outcome:
        """What cannot be recorded, or read from the store, is refused with 503, whatever became of it."""
        try:
            return work()
        except (AuditRefused, StoreUnavailable):
            return self._unavailable(call)

    def _do(self, call: Call) -> Outcome:
        """Run the call to its recorded outcome."""
        bound = self._handlers.get((call.service, call.operation))
        if bound is not None and bound.answers(call.parameters):
            return self._own(call, bound)
        if bound is None and is_owned(call.service, call.operation):
            refusal = faults.not_supported(call.service, call.protocol, call.operation)
            return self._recorded(call, self._refused(call, refusal))
        forbidden = self._forbids(call)
        return self._in_estate(call) if forbidden is None else self._recorded(call, self._refused(call, forbidden))

    def _own(self, call: Call, bound: Bound) -> Outcome:
        described = model.operation_model(call.service, call.operation)
        try:
            validate(call.service, described, call.parameters, call.protocol, bound.judges)
        except Fault as refusal:
            return self._recorded(call, self._refused(call, refusal))
        for _ in range(ATTEMPTS_MAX):
            shelf = StagedShelf(self._store)
            try:
                outcome, staged = self._succeeded(call, bound.handle(call, shelf)), shelf.staged()
            except Fault as refusal:
                outcome, staged = self._refused(call, refusal), NOTHING
            except StoreUnavailable:  # it could not be read; the journal may still take the record of that
                outcome, staged = self._unavailable(call), NOTHING
            try:
                self._recorder.keep(call, outcome, staged=staged)
            except VersionConflict:
                continue
            return outcome
        busy = self._refused(call, faults.throttling(call.service, call.protocol))
        return self._recorded(call, busy)

    def _in_estate(self, call: Call) -> Outcome:
        begun = self._recorder.begin(call)
        try:
            outcome = self._estate_outcome(call, lambda: self._recorder.draft(begun))
            self._recorder.keep(call, outcome, begun=begun)
        except AuditRefused:
            raise
        except BaseException:
            self._recorder.lost(begun)
            raise
        if outcome.failure is None:
            self._principals.passed(call.service, call.operation)
        return outcome

    def _estate_outcome(self, call: Call, meanwhile: Callable[[], None]) -> Outcome:
        try:
            response = self._estate.handle(self._estate_request(call), meanwhile)
        except EstateUnsupported:
            return self._refused(call, faults.not_supported(call.service, call.protocol, call.operation))
        except EstateUnavailable as error:
            notes = {"outcome": (self._unanswered if error.applied else Fate.NOT_APPLIED).value}
            return replace(self._unavailable(call), notes=notes)
        except EstateFailed as error:
            log.error("the estate failed over %s %s (%s): %s", call.service, call.operation, call.event_id, error)
            return self._refused(call, _blame(call))
        outcome = Outcome(with_request_id(response, call.service, call.protocol, call.request_id))
        if response.status >= 300 or record.needs_result(call):
            return self._understood(call, outcome)
        return outcome

    def _estate_request(self, call: Call) -> EstateRequest:
        return EstateRequest(
            request=call.request,
            service=call.service,
            operation=call.operation,
            account=call.account,
            region=call.region,
            now=call.now,
            seed=int.from_bytes(self._world.random_bytes(8), "big"),
            bucket=call.virtual_bucket,
            principal=call.principal,
        )

    # How an outcome is told.

    def _understood(self, call: Call, outcome: Outcome) -> Outcome:
        operation = model.operation_model(call.service, call.operation)
        result, failure = parse(call.service, operation, call.protocol, outcome.response)
        return Outcome(outcome.response, result, failure, outcome.notes)

    def _succeeded(self, call: Call, result: Mapping[str, Any]) -> Outcome:
        operation = model.operation_model(call.service, call.operation)
        return Outcome(encode_result(call.service, operation, call.protocol, result, call.request_id), result)

    def _refused(self, call: Call, refusal: Fault) -> Outcome:
        failure = Failure(refusal.code, refusal.message, refusal.status)
        return Outcome(encode_fault(call.service or None, call.protocol, refusal, call.request_id), failure=failure)

    def _unavailable(self, call: Call) -> Outcome:
        return self._refused(call, faults.service_unavailable(call.service, call.protocol))

    def _recorded(self, call: Call, outcome: Outcome) -> Outcome:
        self._recorder.keep(call, outcome)
        return outcome


def _blame(call: Call) -> Fault:
    """Why the estate broke: over a request that AWS's model does not allow, AWS would have refused that."""
    try:
        validate(call.service, model.operation_model(call.service, call.operation), call.parameters, call.protocol)
    except Fault as refusal:
        return refusal
    return faults.internal_failure(call.service, call.protocol)


def _virtual_bucket(found: Route | Unrouted) -> str:
    return found.path_parameters.get("Bucket", "") if isinstance(found, Route) and found.virtual_host else ""
