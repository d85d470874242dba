"""How a command ends: the documented exit codes, and the exception that ends it with one of them."""

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """The number a script sees. Once published, a meaning never changes."""

    OK = 0
    NO = 1
    USAGE = 2
    NO_SERVER = 3
    FINDINGS = 4
    REFUSED = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "done; an empty answer is an answer",
    ExitCode.NO: "the answer is no, or it failed; stderr says why",
    ExitCode.USAGE: "the command or a setting was not understood",
    ExitCode.NO_SERVER: "no server answers, or not one that can do this",
    ExitCode.FINDINGS: "a check found something to look at",
    ExitCode.REFUSED: "refused because it would not be safe",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C",
    ExitCode.BROKEN_PIPE: "the reader of the output went away",
}


class Stop(Exception):
    """End the command: what was expected, what was found, what to do next, in one or two sentences."""

    def __init__(self, code: ExitCode, message: str = "") -> None:
        super().__init__(message)
        self.code = code
