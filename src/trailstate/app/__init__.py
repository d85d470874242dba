"""The composition root: settings become stores, estate, parts and a front door. Only here are all of them known."""

from trailstate.app.running import FOREIGN_DATA_FILE, Running, holds_foreign_data
from trailstate.app.serving import running, serve

__all__ = ["FOREIGN_DATA_FILE", "Running", "holds_foreign_data", "running", "serve"]
