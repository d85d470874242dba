"""A server in a process of its own, for tests that stop it, kill it or look at what it leaves behind."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

START_SECONDS_MAX = 60
ACCOUNT = "123456789012"


class ServerProcess:
    """`trailstate up` on a free port."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.data = data
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TRAILSTATE_", "AWS_"))
        }
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("trailstate"), "up", "--port", "0", "--data", str(data), *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self.endpoint = self._endpoint()

    def _endpoint(self) -> str:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended at start: {self.process.communicate()[1].decode()}")
            try:
                note = json.loads((self.data / "server.json").read_bytes())
            except (FileNotFoundError, ValueError):
                note = {}
            if note.get("pid") == self.process.pid and _is_ready(note["endpoint"]):
                return str(note["endpoint"])
            time.sleep(0.01)
        raise AssertionError(f"the server was not ready within {START_SECONDS_MAX} s")

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.endpoint)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def kill(self) -> None:
        """SIGKILL, as a power cut for the process."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str, str]:
        """SIGTERM, and wait: exit code, stdout, stderr."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out.decode(), err.decode()


def _is_ready(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        connection.request("GET", "/_trailstate/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def scope(service: str, key: str = ACCOUNT, region: str = "us-east-1") -> Mapping[str, str]:
    """Headers of a request that names its signer; nobody verifies the signature yet."""
    credential = f"{key}/20260115/{region}/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00",
        "X-Amz-Date": "20260115T093000Z",
    }
