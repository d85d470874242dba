"""Users' code in the sandbox: what a handler can do, and the ways out that do not exist."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trailstate.functions.program import Program, Ran, Refused, Sandbox
from trailstate.functions.relay import Relay
from trailstate.sandbox import protection
from trailstate.testing import Lab, lab
from trailstate.world import RealWorld

needs_sandbox = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module")
def sandbox(aws: Lab) -> Iterator[Sandbox]:
    started = Sandbox(RealWorld(), Relay(lambda: aws.endpoint), allows_unsafe=False)
    yield started
    started.close()


def run(sandbox: Sandbox, script: str, *, seconds: float = 20.0, memory_mib: int = 256, **environment: str) -> Ran:
    return sandbox.run(Program("handler", {"n": 1}, environment, seconds, memory_mib, script=script))


def body(*lines: str) -> str:
    return "\n".join(["import os, sys, socket", "def handler(event, context):", *(f"    {line}" for line in lines)])


def error(ran: Ran) -> str:
    assert ran.failed
    return str(json.loads(ran.payload)["errorType"])


@needs_sandbox
def test_a_handler_gets_its_event_and_its_answer_comes_back(sandbox: Sandbox) -> None:
    ran = run(
        sandbox, body("print('seen', event)", "return {'n': event['n'] + 1, 'env': os.environ['MINE']}"), MINE="x"
    )
    assert (json.loads(ran.payload), ran.failed, ran.log) == ({"n": 2, "env": "x"}, False, b"seen {'n': 1}\n")


@needs_sandbox
def test_boto3_inside_reaches_the_gateway_as_whoever_signs(aws: Lab, sandbox: Sandbox) -> None:
    script = "import boto3\ndef handler(event, context):\n    boto3.client('sqs').create_queue(QueueName='made-inside')"
    keys = {"AWS_ACCESS_KEY_ID": aws.account, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    assert not sandbox.run(Program("handler", None, keys, 20.0, 256, script=script)).failed
    (record,) = aws.recorded(eventName="CreateQueue")
    assert record["userIdentity"]["accessKeyId"] == aws.account


FAILURES: list[tuple[str, str]] = [
    ("raise ValueError('no')", "ValueError"),
    ("sys.exit(3)", "Runtime.ExitError"),
    ("os._exit(3)", "Runtime.ExitError"),
    ("os.kill(os.getpid(), 9)", "Runtime.ExitError"),
    ("return {1, 2}", "Runtime.MarshalError"),
    ("return 'x' * 7_000_000", "Function.ResponseSizeTooLarge"),
]


@needs_sandbox
@pytest.mark.parametrize(("line", "kind"), FAILURES)
def test_a_handler_that_fails_is_told_by_the_type_aws_uses(sandbox: Sandbox, line: str, kind: str) -> None:
    assert error(run(sandbox, body(line))) == kind


@needs_sandbox
def test_time_is_up_when_it_is_up(sandbox: Sandbox) -> None:
    ran = run(sandbox, body("while True: pass"), seconds=0.5)
    assert error(ran) == "Sandbox.Timedout"
    assert ran.seconds < 1.5


ESCAPES: dict[str, str] = {
    "read the host's users": "return open('/etc/passwd').read()",
    "read the store": "return [each for each in DATA if os.path.exists(each)][0]",
    "list the host's home": "return [os.path.join(d, f) for d, _, fs in os.walk('/home') for f in fs][0]",
    "write beside the interpreter": "open(os.path.join(sys.prefix, 'left-behind'), 'w')",
    "write the package": "open(os.path.join(os.path.dirname(sys.argv[0]), 'left-behind'), 'w')",
    "write to the root": "open('/left-behind', 'w')",
    "write shared memory": "open('/dev/shm/left-behind', 'w')",
    "write kernel settings": "open('/proc/sys/kernel/core_pattern', 'w')",
    "reach the internet": "socket.create_connection(('192.0.2.1', 80), 1)",
    "reach the gateway's port": "socket.create_connection(('127.0.0.1', PORT), 1)",
    "resolve a name": "socket.getaddrinfo('example.com', 80)",
    "open a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "see another process": "return [p for p in os.listdir('/proc') if p.isdigit()][5]",
    "signal the parent": "os.kill(os.getppid(), 0) if os.getppid() > 2 else 1 / 0",
    "become root": "os.setuid(0) if os.getuid() else os.chown('/tmp', 12345, 12345)",
    "mount": "import ctypes; assert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, b'') == 0",
    "drop the machine's caches": "open('/proc/sys/vm/drop_caches', 'w')",
    "leave the namespace": "assert os.path.exists('/proc/1/root/etc/passwd')",
    "fill the disk": "[open(f'/tmp/{n}', 'wb').write(b'x' * 200_000_000) for n in range(8)]",
    "take memory": "x = bytearray(8_000_000_000)",
    "hard link out": "os.link(sys.executable, '/tmp/link')",
    "follow a link out": "os.symlink('/etc', '/tmp/out'); return open('/tmp/out/passwd').read()",
    "open a device": "open('/dev/mem', 'rb')",
    "make a device": "os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
}


@needs_sandbox
@pytest.mark.parametrize("way", ESCAPES)
def test_there_is_no_way_out(aws: Lab, sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    (tmp_path / "truth.db").write_text("secret")
    facts = f"DATA, PORT = [{str(tmp_path / 'truth.db')!r}], {aws.endpoint.rpartition(':')[2]}\n"
    assert run(sandbox, facts + body(ESCAPES[way])).failed


TRY_ALL = """
def handler(event, context):
    out = []
    for way, lines in WAYS.items():
        try:
            space = {'DATA': DATA, 'PORT': PORT, 'os': os, 'sys': sys, 'socket': socket}
            exec(lines, space)
            space['attempt']()
            out.append(way)
        except (Exception, SystemExit):
            pass
    return [out, 'botocore.loaders' in sys.modules, event]
"""


@needs_sandbox
def test_nor_out_of_a_process_that_was_prepared(aws: Lab, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "truth.db").write_text("secret")
    run(sandbox, IMPORTS_BOTO3)
    ways = {way: f"def attempt():\n    {line}" for way, line in ESCAPES.items()}
    facts = (
        f"import os, sys, socket\nDATA, PORT = [{str(tmp_path / 'truth.db')!r}], {aws.endpoint.rpartition(':')[2]}\n"
    )
    ran = run(sandbox, f"# as boto3 is named here, a prepared process is taken\n{facts}WAYS = {ways!r}\n{TRY_ALL}")
    assert json.loads(ran.payload) == [[], True, {"n": 1}]


IMPORTS_BOTO3 = "import boto3\ndef handler(event, context): return boto3.DEFAULT_SESSION is None"


@needs_sandbox
def test_a_prepared_process_is_taken_once_and_learns_its_surroundings_then(sandbox: Sandbox) -> None:
    script = (
        "import os, sys\nPREPARED = 'boto3' in sys.modules\nimport boto3\n"
        "def handler(event, context):\n"
        "    seen = getattr(sys, 'seen', None), os.path.exists('/tmp/left'), boto3.DEFAULT_SESSION is None\n"
        "    sys.seen = 'mine'; open('/tmp/left', 'w').close()\n"
        "    key = boto3.client('sqs')._request_signer._credentials.access_key\n"
        "    return [PREPARED, *seen, key, os.environ['AWS_DEFAULT_REGION']]\n"
    )
    run(sandbox, IMPORTS_BOTO3)
    for key in ("first", "second"):
        environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": f"{key}-1"}
        ran = sandbox.run(Program("handler", None, environment, 20.0, 256, script=script))
        assert json.loads(ran.payload) == [True, None, False, True, key, f"{key}-1"]


@needs_sandbox
def test_a_prepared_process_keeps_the_limits_of_its_program(sandbox: Sandbox) -> None:
    script = (
        "import resource, boto3\n"
        "def handler(event, context):\n"
        "    return [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]\n"
    )
    limits = [json.loads(run(sandbox, script, memory_mib=300).payload) for _ in range(2)]
    for processor, memory in limits:
        assert processor[0] == processor[1]
        assert 44 < processor[0] < 60
        assert memory == [1324 * 1024 * 1024] * 2


@needs_sandbox
def test_code_that_brings_its_own_boto3_finds_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("import botocore\nMINE = True\n")
    (tmp_path / "main.py").write_text("import boto3\ndef go(event, context): return boto3.MINE\n")
    program = Program("main.go", None, {}, 20.0, 256, code=tmp_path)
    assert [sandbox.run(program).payload for _ in range(2)] == [b"true", b"true"]


@needs_sandbox
def test_preparing_takes_no_name_that_code_may_bring() -> None:
    script = (
        "import sys; sys.argv.pop(); from trailstate.functions import child; before = set(sys.modules)\n"
        "child.prepare(''); taken = {each.partition('.')[0] for each in set(sys.modules) - before}\n"
        "print(sorted(taken - child.PREPARED - sys.stdlib_module_names - {'__mp_main__'}))"
    )
    told = subprocess.run([sys.executable, "-c", script, ""], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


@needs_sandbox
def test_a_fork_bomb_ends_with_its_sandbox(sandbox: Sandbox) -> None:
    ran = run(sandbox, body("while True:", "    try: os.fork()", "    except OSError: pass"), seconds=2, memory_mib=128)
    assert ran.failed
    assert ran.seconds < 6


@needs_sandbox
def test_memory_is_counted_over_all_its_processes(sandbox: Sandbox) -> None:
    grow = body("for _ in range(8):", "    if os.fork() == 0: x = b'x' * 60_000_000; import time; time.sleep(20)")
    grow += "\n    import time; time.sleep(20)"
    assert error(run(sandbox, grow, seconds=10, memory_mib=256)) == "Runtime.OutOfMemory"


@needs_sandbox
def test_a_gigabyte_of_output_is_dropped_but_for_its_beginning(sandbox: Sandbox) -> None:
    ran = run(sandbox, body("for _ in range(1024): sys.stdout.write('x' * 1_048_576)", "return 'done'"), seconds=30)
    assert json.loads(ran.payload) == "done"
    assert len(ran.log) < 1_100_000
    assert b"further bytes of output were dropped" in ran.log


def test_without_a_sandbox_users_code_is_refused(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "available", lambda: protection.Protection.LIMITS)
    with pytest.raises(Refused, match="unsafe_functions"):
        run(sandbox, body("return 1"))


def test_a_setting_allows_it_by_name(aws: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "available", lambda: protection.Protection.LIMITS)
    allowed = Sandbox(RealWorld(), Relay(lambda: aws.endpoint), allows_unsafe=True)
    assert [json.loads(run(allowed, body("return 1")).payload) for _ in range(2)] == [1, 1]
    allowed.close()
