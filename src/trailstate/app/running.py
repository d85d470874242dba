"""A running server: its parts assembled, its port bound, and what a command, a test or a page may ask of it."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from trailstate import __version__
from trailstate.app import run_file
from trailstate.app.house import FrontDoor, House, Part
from trailstate.app.parts import ASSEMBLERS
from trailstate.estate import stacks
from trailstate.estate.embedded import STACKS, WARMED_FIRST, EmbeddedEstate
from trailstate.estate.interface import Estate, EstateUnavailable, Login
from trailstate.follow import Runner
from trailstate.functions.role import Roles
from trailstate.gateway.application import Application
from trailstate.gateway.dispatch import Dispatcher
from trailstate.gateway.limits import limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.operator import PAGES, OperatorPages
from trailstate.gateway.record import Recorder
from trailstate.gateway.refuse import Refuser
from trailstate.gateway.server import Server
from trailstate.identity.principals import Principals
from trailstate.identity.rootkeys import RootKey, load_or_make
from trailstate.services.operation import Bound, bind
from trailstate.services.owned import OWNED_SERVICES, is_owned, operations
from trailstate.settings import EMBEDDED, Settings, is_loopback
from trailstate.stores.derived import Derived
from trailstate.stores.disk import DiskObjects
from trailstate.stores.interface import JOURNAL, Objects, Store
from trailstate.stores.memory import MemoryObjects, MemoryStore
from trailstate.stores.passing import PassingStore
from trailstate.trail.history import History
from trailstate.trail.journal import Fate, Journal
from trailstate.trail.restart import restarted
from trailstate.wire.call import Call, Door, Principal
from trailstate.wire.fault import Fault
from trailstate.world import AdjustableWorld, World

log = logging.getLogger(__name__)

WAITED_FOR = (
    *("acm", "apigateway", "cloudformation", "dynamodb", "dynamodbstreams", "ec2", "es", "firehose", "glue", "iam"),
    *("kinesis", "kms", "opensearch", "organizations", "redshift", "resource-groups", "resourcegroupstaggingapi"),
    *("route53", "route53resolver", "s3", "s3control", "scheduler", "secretsmanager", "ses", "sqs", "ssm"),
    *("stepfunctions", "sts", "support", "swf", "transcribe"),
)
"""Services of the simulator that scripts wait for by name, beside those that are ours."""

FOREIGN_DATA_FILE = "foreign-data"
"""Present in a data directory that holds imported records or the configuration of real accounts."""

FRESH_ESTATE = "the simulated account starts empty: its resources live in memory; earlier records stay in the history"


def holds_foreign_data(directory: Path) -> bool:
    """Whether the directory holds something that strangers on the network must not be able to read."""
    return (directory / FOREIGN_DATA_FILE).exists()


class Running:
    """A server that answers. Everything a command, a test or the operator's pages may ask of it."""

    def __init__(self, settings: Settings, world: World) -> None:
        """Open the store, start the estate, bind the port; raises what the parts raise, and leaves nothing behind."""
        self.settings = settings
        self.accounts = settings.accounts
        self.data = settings.data
        self.notes: list[str] = []
        self._principals: Principals | None = None
        self._world = world
        self._stopped = threading.Event()
        with contextlib.ExitStack() as opened:
            self._open(opened)
            self._closing = opened.pop_all()

    @property
    def endpoint(self) -> str:
        return self._server.endpoint

    def _open(self, opened: contextlib.ExitStack) -> None:
        settings, world = self.settings, self._world
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self._store: Store = self._open_store()
        opened.callback(self._store.close)
        self._derived = Derived(None if settings.ephemeral else self.data)
        opened.callback(self._derived.close)
        self._objects: Objects = MemoryObjects() if settings.ephemeral else DiskObjects(self.data, world)
        self.root_keys: dict[str, RootKey] = load_or_make(self.data / "keys", settings.accounts, world)
        self._metrics = GatewayMetrics()
        self._recorder = Recorder(
            self._store,
            data_events=settings.data_events,
            on_audit_failure=settings.on_audit_failure,
            selects=self._selects,
            further=self._further_records,
        )
        self._runner = Runner(self._store, world)
        self._door = FrontDoor()
        self._assemble(opened)
        self._history = self._house.provided(History)
        self._tell_what_a_restart_lost()
        self._estate = self._start_estate()
        opened.callback(self._estate.close)
        opened.callback(self._runner.stop)
        roots = {key.access_key_id: account for account, key in self.root_keys.items()}
        principals = self._principals = Principals(self._estate, settings.accounts, roots)
        self._server = self._bind_port(principals)

    def _open_store(self) -> Store:
        if self.settings.ephemeral:
            return MemoryStore(self._world)
        return PassingStore(self.data, self._world, passes=self.settings.estate == EMBEDDED)

    def _assemble(self, opened: contextlib.ExitStack) -> None:
        """Each part upon what the earlier ones provide."""
        self._parts: list[Part] = []
        ground: dict[type, object] = {
            Settings: self.settings,
            World: self._world,
            Store: self._store,
            Objects: self._objects,
            Door: self._door,
        }
        house = self._house_of(ground)
        for assemble in ASSEMBLERS:
            part = assemble(house)
            self._parts.append(part)
            if part.close is not None:
                opened.callback(part.close)
            house = self._house_of({**house.provisions, **part.provisions})
            for follower in part.followers:
                self._runner.add(follower)
            for timer in part.timers:
                self._runner.add_timer(timer)
            for shipper in part.shippers:
                self._runner.add_shipper(shipper)
        self._house = house

    @property
    def house(self) -> House:
        """The ground with everything that the parts provide."""
        return self._house

    def _house_of(self, provisions: Mapping[type, object]) -> House:
        return House(
            settings=self.settings,
            world=self._world,
            store=self._store,
            derived=self._derived,
            objects=self._objects,
            door=self._door,
            runner=self._runner,
            endpoint=lambda: self.endpoint,
            provisions=provisions,
        )

    def _further_records(self, call: Call) -> list[Mapping[str, Any]]:
        """What any part has recorded of a call beside its own record."""
        given = [part.further_records(call) for part in self._parts if part.further_records is not None]
        return [record for records in given for record in records]

    def _selects(self, call: Call) -> bool:
        """Whether any part asks for this data event."""
        return any(part.selects(call) for part in self._parts if part.selects is not None)

    def _forbids(self, call: Call) -> Fault | None:
        """The first reason of any part why this call must not reach the estate."""
        reasons = (part.forbids(call) for part in self._parts if part.forbids is not None)
        return next((reason for reason in reasons if reason is not None), None)

    def _start_estate(self) -> Estate:
        if self.settings.estate == EMBEDDED:
            return EmbeddedEstate(
                self._world,
                log_path=self.data / "estate.log",
                on_restart=self._estate_restarted,
                ours=stacks.ours(OWNED_SERVICES, is_owned),
                door=self._door,
                takes_role=self._take_role,
                warm=() if self.settings.ephemeral else WARMED_FIRST,  # a test uses little, and would wait for the rest
            )
        from trailstate.estate.endpoint import EndpointEstate  # reads with botocore's parsers, which take long to load

        return EndpointEstate(self.settings.estate)

    def _take_role(self, role: str, account: str, region: str) -> Principal:
        """The session under which CloudFormation acts for a stack that has a role."""
        roles = self._house.provided(Roles)
        return roles.session(STACKS, role, "AWSCloudFormation", account=account, region=region).principal

    def _bind_port(self, principals: Principals) -> Server:
        settings, world = self.settings, self._world
        self.dispatcher = Dispatcher(
            world=world,
            store=self._store,
            estate=self._estate,
            principals=principals,
            recorder=self._recorder,
            handlers=self._handlers(),
            metrics=self._metrics,
            default_region=settings.region,
            unanswered=self._fate,
            forbids=self._forbids,
        )
        self._door.open(self.dispatcher)
        hosts = frozenset() if is_loopback(settings.host) else frozenset({settings.host})
        extra = {path: page for part in self._parts for path, page in part.pages.items()}
        pages = OperatorPages(self, testing=settings.testing, hosts=hosts, pages={**PAGES, **extra})
        bounds = replace(limits(settings), spool_directory=self.data)
        refuser = Refuser(world, settings.region)
        application = Application(
            self.dispatcher.handle, refuser, pages, self._metrics, bounds, around=self._runner.hushed
        )
        return Server(application, self._metrics, host=settings.host, port=settings.port, limits=bounds)

    def _handlers(self) -> dict[tuple[str, str], Bound]:
        return {name: bind(entry, self._house.provisions) for name, entry in operations().items()}

    @property
    def _fate(self) -> Fate:
        """What is true of a call whose outcome was lost: the simulator forgot it, a real endpoint may not have."""
        return Fate.NOT_APPLIED if self.settings.estate == EMBEDDED else Fate.UNKNOWN

    def _tell_what_a_restart_lost(self) -> None:
        journal = Journal(self._store)
        unanswered = journal.settle_unanswered(self._fate)
        if unanswered:
            self.notes.append(f"{unanswered} calls had no outcome when the server stopped; the journal says so of each")
        if self.settings.estate == EMBEDDED and journal.head():
            self.notes.append(FRESH_ESTATE)
            self._history.catch_up()
            self._record_forgetting("the server started again")

    def _estate_restarted(self, reason: str) -> None:
        log.warning("the simulated estate was started again (%s); it starts empty", reason)
        self._metrics.estate_restarts.add()
        if self._principals is not None:
            self._principals.forget()
        for part in self._parts:
            if part.estate_lost is not None:
                part.estate_lost()
        self._record_forgetting(reason)

    def _record_forgetting(self, reason: str) -> None:
        """One record wherever there is a history to contradict, and in the accounts of the lab."""
        details = f"{reason}; {FRESH_ESTATE}"
        homes = {(account, self.settings.region) for account in self.accounts}
        self._recorder.owe(
            restarted(account, region, details, self._world)
            for account, region in sorted(homes.union(self._history.index.scopes()))
        )

    # Serving.

    def start(self) -> None:
        """Answer in a thread of its own."""
        self._runner.start()
        self._write_run_file()
        self._server.start()

    def run(self, on_ready: Callable[["Running"], None]) -> None:
        """Answer in the foreground until SIGTERM or SIGINT."""
        self._runner.start()
        self._write_run_file()
        self._server.run(lambda: on_ready(self))

    def stop(self) -> None:
        """Calls in flight finish; then the port, the estate and the store are closed."""
        self._server.stop()
        self.close()

    def close(self) -> None:
        """What remains when nothing is served any more."""
        run_file.remove(self.data)
        self._closing.close()
        self._stopped.set()

    def wait(self) -> None:
        """Until somebody stops it, or Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            self._stopped.wait()

    def _write_run_file(self) -> None:
        note = {
            "endpoint": self.endpoint,
            "pid": os.getpid(),
            "accounts": list(self.accounts),
            "testing": self.settings.testing,
        }
        run_file.write(self.data, note)

    # The operator's pages (gateway.operator.Operator).

    def ready(self) -> bool:
        return not self._stopped.is_set()

    def health(self) -> dict[str, Any]:
        """LocalStack's shape, so that scripts which wait for `services` go on working."""
        return {
            "services": dict.fromkeys(sorted({*OWNED_SERVICES, *WAITED_FOR}), "running"),
            "edition": "trailstate",
            "version": __version__,
            "accounts": list(self.accounts),
            "journal": {"head": self._store.head(JOURNAL)},
            "followers": self._runner.status(),
        }

    def metrics(self) -> str:
        head = self._store.head(JOURNAL)
        self._metrics.journal_head.set(head)
        self._metrics.data_events_not_kept.set(self._recorder.data_events_not_kept)
        self._metrics.calls_not_recorded.set(self._recorder.calls_not_recorded)
        self._metrics.follower_lag.set(head - self._history.follower.cursor(), "history")
        return self._metrics.text([metric for part in self._parts for metric in part.metrics])

    def now(self) -> datetime:
        return self._world.now()

    clock = now

    def advance(self, by: timedelta) -> datetime:
        assert isinstance(self._world, AdjustableWorld), "only a testing server's clock can be moved"
        self.settle()  # what follows from the calls so far happened before the step, not after it
        now = self._world.advance(by)
        self.settle()
        return now

    def settle(self) -> None:
        self._runner.run_until_idle()

    def reset(self) -> None:
        with contextlib.suppress(EstateUnavailable):  # then the next call meets a new, empty process
            self._estate.reset()
        if self._principals is not None:
            self._principals.forget()
        with self._runner.paused():
            self._store.erase()
            self._derived.erase()
            for part in self._parts:
                if part.forget is not None:
                    part.forget()

    def login(self, account: str, user_name: str | None) -> Login | None:
        return self._estate.login(account, user_name)

    def journal(self) -> Iterator[bytes]:
        """Every record so far as JSON text, oldest first."""
        after = 0
        while entries := self._store.read(JOURNAL, after, 1000):
            yield from (entry.body for entry in entries)
            after = entries[-1].position
