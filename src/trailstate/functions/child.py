"""The program inside the sandbox that runs one handler once: Lambda's Python runtime, as much of it as a handler sees.

Run as a plain file; it knows the standard library only, and boto3 if it is prepared before its order is known. Its
order comes over an inherited socket and its answer goes back there; what is printed goes to standard error. AWS is
reached through a loopback port of its own, whose bytes go to a Unix socket outside: there is no other way out.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import resource
import socket
import struct
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

LENGTH = struct.Struct("!I")
READY = b"."
CHUNK_BYTES = 65_536
PREPARED = frozenset(
    (
        "boto3",
        "botocore",
        "s3transfer",
        "jmespath",
        "urllib3",
        "dateutil",
        "six",
        "certifi",
        "brotli",
        "socks",
        "awscrt",
    )
)
"""What preparing imports beside the standard library."""
USUAL_SERVICE = "ec2"
"""Its model takes longest to read, and most scripts that repair something ask for it."""


class Context:
    """What a handler is told of its invocation."""

    def __init__(self, facts: Mapping[str, Any], deadline: float) -> None:
        self.identity = None
        self.client_context = None
        self.__dict__.update(facts)
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - passed()) * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message) + "\n")


class Failure(Exception):
    """The handler gave no answer; `answer` is what the caller gets instead."""

    def __init__(self, kind: str, message: str, trace: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.answer = {"errorMessage": message, "errorType": kind, "stackTrace": list(trace)}


def passed() -> float:
    """Seconds since some moment before this program began."""
    return os.times().elapsed


def read(line: socket.socket) -> Any:
    length = LENGTH.unpack(exactly(line, LENGTH.size))[0]
    return json.loads(exactly(line, length))


def exactly(line: socket.socket, count: int) -> bytes:
    chunks = []
    while count:
        chunk = line.recv(min(count, CHUNK_BYTES))
        if not chunk:
            raise SystemExit("the line was closed")
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def write(line: socket.socket, answer: object) -> None:
    body = json.dumps(answer).encode()
    line.sendall(LENGTH.pack(len(body)) + body)


def prepare(code: str) -> None:
    """Import boto3 and make a client to nowhere: all that every client needs is then read and compiled.

    Not where the code brings modules of a name that would be taken by then: it is its own that it must find.
    """
    brought = {path.name.partition(".")[0] for path in Path(code).iterdir()} if code else set()
    if not brought.isdisjoint(PREPARED | sys.stdlib_module_names):
        return
    try:
        from boto3.session import Session
        from botocore.loaders import JSONFileLoader
    except ImportError:
        return
    with read_once(JSONFileLoader):
        make_client(Session)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def read_once(loader: Any) -> Iterator[None]:
    """What is loaded meanwhile stays: each session of botocore would read it again, all endpoints of AWS among it."""
    read, known = loader.load_file, {}

    def gather(self: Any, path: str) -> Any:
        known[path] = found = read(self, path)
        return found

    def recall(self: Any, path: str) -> Any:
        return known.get(path) or read(self, path)

    loader.load_file = gather
    yield
    loader.load_file = recall


def make_client(session_class: Any) -> None:
    session = session_class(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106
    session.client(USUAL_SERVICE, endpoint_url="http://127.0.0.1:1")


def limit_processor(seconds: int) -> None:
    """What was used so far is not the handler's."""
    used = os.times()
    ceiling = int(used.user + used.system) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (ceiling, ceiling))


def open_port(path: str) -> int:
    """Listen on a loopback port and carry what comes to the Unix socket; the port's number."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            inner = listener.accept()[0]
            outer = socket.socket(socket.AF_UNIX)
            try:
                outer.connect(path)
            except OSError:
                inner.close()
                continue
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def load(order: Mapping[str, Any]) -> Callable[[Any, Context], Any]:
    """The handler: a function of a module in the code's directory, or of a script."""
    module_name, _, function_name = order["handler"].replace("/", ".").rpartition(".")
    if order.get("script") is not None:
        module = types.ModuleType("script")
        function_name = order["handler"].rpartition(".")[2]
        exec(compile(order["script"], "script.py", "exec"), module.__dict__)  # noqa: S102 - this is what the sandbox is for
    else:
        if not module_name:
            raise Failure("Runtime.MalformedHandlerName", f"Bad handler '{order['handler']}': not enough values")
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise Failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
        except SyntaxError as error:
            message = f"Syntax error in module '{module_name}': {error}"
            raise Failure("Runtime.UserCodeSyntaxError", message) from error
    found: Callable[[Any, Context], Any] | None = getattr(module, function_name, None)
    if found is None:
        message = f"Handler '{function_name}' missing on module '{module_name or 'script'}'"
        raise Failure("Runtime.HandlerNotFound", message)
    return found


def log_like_lambda(request_id: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    form = f"[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t{request_id}\t%(message)s"
    handler.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)


def answer(order: Mapping[str, Any]) -> str:
    """What the handler returns for the event, as JSON text."""
    deadline = passed() + order["seconds"]
    result = load(order)(order["event"], Context(order["context"], deadline))
    try:
        return json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    if len(sys.argv) > 2:
        prepare(sys.argv.pop())
    line.sendall(READY)
    order = read(line)
    limit_processor(order["cpu_seconds"])
    os.dup2(2, 1)
    sys.stdout = sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="replace", closefd=False)
    os.environ.update(order["environment"])
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{open_port(order['outside'])}"
    if order["code"] is not None:
        sys.path.insert(0, order["code"])
        os.chdir(order["code"])
    log_like_lambda(order["context"].get("aws_request_id", ""))
    given: dict[str, Any]
    try:
        given = {"value": answer(order)}
    except Failure as failure:
        given = {"error": failure.answer}
    except SystemExit:
        raise
    except BaseException as error:  # whatever a handler raises is its answer
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        told = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "stackTrace": traceback.format_list(frames),
        }
        given = {"error": told}
    if "error" in given:
        failed = given["error"]
        sys.stdout.write(f"[ERROR] {failed['errorType']}: {failed['errorMessage']}\n")
        sys.stdout.write("".join(failed.get("stackTrace", ())))
    sys.stdout.flush()
    write(line, given | {"boto3": "botocore" in sys.modules})


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
