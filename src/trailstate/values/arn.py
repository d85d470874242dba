"""Amazon resource names, `arn:partition:service:region:account:resource` (AWS general reference, "ARNs")."""

import re

ACCOUNT = re.compile(r"[0-9]{12}")
"""An account number; `str.isdigit` would let other alphabets' digits pass."""


def account_of_arn(arn: str) -> str | None:
    """The account an ARN names; None when it names none, or something that is no account number."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and ACCOUNT.fullmatch(parts[4]) else None
