"""Whether somebody may sign in to the console: the password, and the code of a virtual MFA device if there is one.

IAM user guide, "Sign in to the AWS Management Console"; codes by RFC 6238 (six digits, 30 seconds, HMAC-SHA1), of the
present step or one beside it, each good once.
"""

import base64
import binascii
import hashlib
import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from trailstate.estate.interface import Login

STEP_SECONDS = 30
CODE_DIGITS = 6
STEPS_BESIDE = 1
DEVICES_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came of an attempt. `device` is the MFA device that the account asks for, if any."""

    succeeded: bool
    device: str | None = None


class SignIns:
    """Judges attempts, and remembers the codes that were used. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: OrderedDict[str, int] = OrderedDict()

    def judge(self, login: Login, password: str, code: str | None, now: datetime) -> SignIn:
        """Both are looked at whatever the other is, so that the time tells nothing."""
        is_right = login.password is not None and hmac.compare_digest(login.password.encode(), password.encode())
        if not login.devices:
            return SignIn(is_right)
        found = [serial for serial, seed in login.devices.items() if self._step(serial, seed, code, now, is_right)]
        return SignIn(is_right and bool(found), found[0] if found else next(iter(login.devices)))

    def _step(self, serial: str, seed: str, code: str | None, now: datetime, uses: bool) -> bool:
        """Whether the code is the device's now; `uses`: it is spent by that."""
        present = int(now.timestamp()) // STEP_SECONDS
        with self._lock:
            last = self._used.get(serial, -1)
            for step in range(present - STEPS_BESIDE, present + STEPS_BESIDE + 1):
                if step > last and hmac.compare_digest(code_of(seed, step).encode(), (code or "").encode()):
                    if uses:
                        self._used[serial] = step
                        while len(self._used) > DEVICES_REMEMBERED_MAX:
                            self._used.popitem(last=False)
                    return True
        return False


def code_of(seed: str, step: int) -> str:
    """The code that a device with this seed shows during a step; empty for what is no seed."""
    try:
        key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except binascii.Error:
        return ""
    digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
