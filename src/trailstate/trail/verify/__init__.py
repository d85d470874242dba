"""Is the evidence untouched: delivered log files and digests judged by what they say of one another."""

from trailstate.trail.verify.absence import Expected
from trailstate.trail.verify.finding import Finding, Report
from trailstate.trail.verify.judge import verify
from trailstate.trail.verify.keys import PublicKeys
from trailstate.trail.verify.source import Directory, Evidence, Fetched

__all__ = ["Directory", "Evidence", "Expected", "Fetched", "Finding", "PublicKeys", "Report", "verify"]
