"""The simulated estate: moto in a process of its own, behind the sandbox, one request at a time in the order asked.

When the process dies, the request it died over is told so (it may have had its effect, which the dead process forgot),
and the next one gets a new process that starts empty. `on_restart` lets the house say that openly.
"""

import importlib.util
import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from trailstate.estate import cbor
from trailstate.estate.frames import (
    INLINE_BYTES,
    Answer,
    Answered,
    Ask,
    AskLogin,
    BadFrame,
    Caller,
    Done,
    Failed,
    Known,
    KnownLogin,
    LineClosed,
    Question,
    Reset,
    Serve,
    Settled,
    Unsupported,
    Upward,
    Warm,
    bytes_of,
    file_of,
)
from trailstate.estate.interface import (
    Credential,
    EstateFailed,
    EstateMissing,
    EstateRequest,
    EstateUnavailable,
    EstateUnsupported,
    Login,
    nothing,
)
from trailstate.estate.program import Ended, Log, Program
from trailstate.estate.turns import Turns
from trailstate.wire.call import Door, Principal, WireRequest, WireResponse, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

REQUEST_SECONDS_MAX = 60.0
NEEDED = ("moto", "time_machine", "flask")
WARMED_FIRST = ("iam", "sts", "s3", "ec2", "lambda", "rds")
"""In the order in which a newcomer is likely to want them; EC2 is the slow one."""
STACKS = "cloudformation.amazonaws.com"
"""What AWS names as the one through whom a stack's caller acts."""

TakesRole = Callable[[str, str, str], Principal]
"""Role, account, region -> the role's session for CloudFormation; raises the Fault with which it is refused."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EmbeddedEstate:
    """Implements `Estate`. Safe to call from any thread."""

    def __init__(
        self,
        world: World,
        *,
        log_path: Path | None = None,
        on_restart: Callable[[str], None] | None = None,
        epoch: datetime | None = None,
        warm: Sequence[str] = WARMED_FIRST,
        ours: Sequence[str] = (),
        door: Door | None = None,
        takes_role: TakesRole | None = None,
        request_seconds_max: float = REQUEST_SECONDS_MAX,
    ) -> None:
        """Start the process without waiting for it: the first call does. `epoch` is the date of what an account has
        from the start; the same epoch and the same requests make the same estate. `on_restart` is called before the
        next request is let in, and must not ask the estate anything itself. What a stack does to the resource types
        that `ours` marks is called through `door`, with `takes_role` where the stack has a role. EstateMissing
        without moto."""
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise EstateMissing(
                f"The simulated estate needs {', '.join(missing)}, not installed here: pip install 'trailstate[lab]'"
            )
        self._epoch = microseconds(epoch or world.now())
        self._log = Log(log_path)
        self._on_restart = on_restart
        self._seconds_max = request_seconds_max
        self._turns = Turns()
        self._ours = tuple(ours)
        self._door = door
        self._takes_role = takes_role
        self._numbers = itertools.count(1)
        self._in_hand: dict[int, EstateRequest] = {}
        self._closed = False
        self.restarts = 0
        self._program: Program | None = self._start()
        self._warmer = threading.Thread(target=self._warm, args=(tuple(warm),), name="estate-warm", daemon=True)
        self._warmer.start()

    @property
    def pid(self) -> int | None:
        """The process (bubblewrap's, where that guards it) that serves now."""
        return self._program.pid if self._program is not None else None

    def handle(self, request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:
        if cbor.is_cbor(request.request):
            return cbor.in_cbor(request, self._served(cbor.in_json(request), meanwhile))
        return self._served(request, meanwhile)

    def _served(self, request: EstateRequest, meanwhile: Callable[[], None]) -> WireResponse:
        number = next(self._numbers)
        self._in_hand[number] = request
        try:
            answer, body = self._answer_to(request, number, meanwhile)
        finally:
            del self._in_hand[number]
        match answer:
            case Answered():
                content = answer.body if body is None else bytes_of(body)
                return WireResponse(answer.status, tuple(answer.headers), content)
            case Unsupported():
                raise EstateUnsupported(answer.message)
            case Failed():
                raise EstateFailed(answer.message)
        raise AssertionError(f"a request was answered by {type(answer).__name__}")

    def _answer_to(
        self, request: EstateRequest, number: int, meanwhile: Callable[[], None]
    ) -> tuple[Answer, int | None]:
        asked = request.request
        if asked.body_file is None and len(asked.body) <= INLINE_BYTES:
            return self._asked(_serve(request, asked.body, number), None, meanwhile)
        with ExitStack() as opened:
            return self._asked(_serve(request, b"", number), _attachment(asked, opened), meanwhile)

    def credential(self, access_key_id: str) -> Credential | None:
        answer, _ = self._asked(Ask(access_key_id))
        assert isinstance(answer, Known)
        return answer.credential

    def login(self, account: str, user_name: str | None) -> Login | None:
        answer, _ = self._asked(AskLogin(account, user_name))
        assert isinstance(answer, KnownLogin)
        return answer.login

    def reset(self) -> None:
        answer, _ = self._asked(Reset())
        assert isinstance(answer, Done)

    def close(self) -> None:
        """End the process; later calls raise EstateUnavailable."""
        self._closed = True
        program = self._program
        if program is not None and (self._turns.busy or program.busy):
            program.kill()  # whoever waits for its answer would wait for up to a minute, and the next one after
        with self._turns:
            if self._program is not None:
                self._program.close()
                self._program = None
        self._warmer.join()

    def _asked(
        self, question: Question, attachment: int | None = None, meanwhile: Callable[[], None] = nothing
    ) -> tuple[Answer, int | None]:
        program = self._program
        try:
            within = program.upcalls.asked(question, attachment) if program is not None else None
            if within is not None:
                return within
            with self._turns:
                program = self._running()
                awaited = program.send(question, attachment, self._seconds_max)
            try:
                meanwhile()
            finally:  # whatever became of that, the answer is ours to take off the line
                answer = program.receive(awaited, self._seconds_max)
            return answer
        except BadFrame as error:
            raise EstateFailed(str(error)) from error
        except (
            LineClosed
        ) as error:  # while a call was out; who waits for the request it belongs to starts a new process
            raise EstateUnavailable(f"The simulated estate went away: {error}", applied=True) from error
        except Ended as error:
            with self._turns:
                if self._program is program:  # the first of those who waited for it
                    self._program = None
                    self._lost(str(error))
            raise EstateUnavailable(
                f"The simulated estate went away over this request: {error}", applied=True
            ) from error

    def _running(self) -> Program:
        """The process, ready to be asked; a new one when the last is gone."""
        if self._closed:
            raise EstateUnavailable("The simulated estate is closed.", applied=False)
        if self._program is not None and not self._program.alive:
            self._program.close()
            self._program = None
            self._lost("the process ended between two requests")
        if self._program is None:
            self._program = self._start()
        try:
            self._program.await_ready()
        except Ended as error:
            self._program = None
            raise EstateUnavailable(f"The simulated estate could not be started: {error}", applied=False) from error
        return self._program

    def _start(self) -> Program:
        try:
            return Program(self._epoch, self._log, self._ours, self._settle)
        except Ended as error:
            raise EstateUnavailable(f"The simulated estate could not be started: {error}", applied=False) from error

    def _settle(self, asked: Upward) -> Settled:
        """What a request in hand does to something of the house's, done as whoever made the request."""
        request = self._in_hand.get(asked.number)
        if self._door is None or request is None or request.principal is None:
            return Settled(None, "InternalFailure", "Nobody may be named who makes this call.", 500)
        try:
            caller = self._caller_of(asked, request.principal)
            result = self._door.call(
                asked.service,
                asked.operation,
                asked.parameters,
                account=asked.account,
                region=asked.region,
                as_=caller,
            )
        except Fault as fault:
            return Settled(None, fault.code, fault.message, fault.status)
        return Settled({} if asked.by else dict(result))

    def _caller_of(self, asked: Upward, principal: Principal) -> Principal:
        """Who makes a call of the estate: a service, a stack's role, or the stack's caller."""
        if asked.by:
            return service_principal(asked.by, asked.account, asked.source)
        if asked.role and self._takes_role is not None:
            return self._takes_role(asked.role, asked.account, asked.region)
        return replace(principal, invoked_by=STACKS)

    def _lost(self, reason: str) -> None:
        if self._closed:  # ended because it was closed while it was busy: nobody will meet an empty estate
            return
        self.restarts += 1
        if self._on_restart is not None:
            self._on_restart(reason)

    def _warm(self, services: Sequence[str]) -> None:
        """Load what is slow to load, each service in a turn of its own: a request waits for one of them at most."""
        for service in services:
            if self._closed:
                return
            try:
                self._asked(Warm(service))
            except (EstateUnavailable, EstateFailed):
                return


def microseconds(moment: datetime) -> int:
    """A moment as a frame carries it."""
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _serve(request: EstateRequest, body: bytes, number: int) -> Serve:
    asked = request.request
    return Serve(
        method=asked.method,
        target=asked.target,
        headers=list(asked.headers),
        body=body,
        source_address=asked.source_address,
        service=request.service,
        operation=request.operation,
        account=request.account,
        region=request.region,
        now_microseconds=microseconds(request.now),
        seed=request.seed,
        bucket=request.bucket,
        caller=None if request.principal is None else _caller(request.principal),
        number=number,
    )


def _caller(principal: Principal) -> Caller:
    session = principal.session
    return Caller(
        kind=principal.type,
        principal_id=principal.principal_id,
        arn=principal.arn,
        account=principal.account,
        user_name=principal.user_name,
        mfa=session is not None and session.mfa_authenticated,
        source_identity=session.source_identity if session is not None else None,
        service=principal.invoked_by or "" if principal.type == "AWSService" else "",
        source_arn=principal.source_arn,
    )


def _attachment(request: WireRequest, opened: ExitStack) -> int | None:
    """A body too large for a frame, as a descriptor."""
    if request.body_file is not None:
        request.body_file.flush()
        return request.body_file.fileno()
    if len(request.body) > INLINE_BYTES:
        return opened.enter_context(file_of(request.body)).fileno()
    return None
