"""The stock `aws cloudtrail validate-logs`, many times in one process: it reads requests from stdin, one JSON a line.

A process of its own, because the AWS CLI brings another version of the library that the product is built on.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import Any

if __name__ == "__main__":
    from awscli.clidriver import create_clidriver

    answers = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        os.environ.update(request["environment"])
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            code = create_clidriver().main(["cloudtrail", "validate-logs", *request["arguments"]])
        print(json.dumps([code, said.getvalue(), complained.getvalue()]), file=answers, flush=True)


class Validator:
    """The process. `run` gives the command's exit code, stdout and stderr."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, arguments: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, "environment": environment}) + "\n")
        self._process.stdin.flush()
        answer: list[Any] = json.loads(self._process.stdout.readline())
        return answer[0], answer[1], answer[2]

    def close(self) -> None:
        self._process.communicate()
