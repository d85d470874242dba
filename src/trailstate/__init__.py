"""Trailstate: AWS CloudTrail and AWS Config, self-hosted."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailstate.connection import connect as connect

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`connect` brings the engine with it, which nothing else that starts here has to wait for."""
    if name == "connect":
        from trailstate.connection import connect

        return connect
    raise AttributeError(f"module 'trailstate' has no attribute '{name}'")
