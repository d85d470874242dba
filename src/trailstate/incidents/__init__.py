"""Incidents: things that happen in an account and the question somebody asks afterwards.

They live here once and are played by `trailstate demo`, `trailstate play` and the tests alike.
"""

from trailstate.incidents.bus import NEW_ADMINISTRATOR
from trailstate.incidents.compliance import BROKEN_BENCHMARK
from trailstate.incidents.configuration import OPENED_GROUP
from trailstate.incidents.evidence import ONE_TRAIL, TOUCHED_EVIDENCE
from trailstate.incidents.form import Answer, Incident
from trailstate.incidents.lake import FAILED_CHANGES
from trailstate.incidents.remediation import REPAIRED_BUCKET
from trailstate.incidents.stage import Stage
from trailstate.incidents.watch import ROOT_SIGNED_IN
from trailstate.incidents.who import DELETED_BUCKET, TERMINATED_INSTANCE

INCIDENTS: dict[str, Incident] = {
    each.name: each
    for each in (
        OPENED_GROUP,
        BROKEN_BENCHMARK,
        REPAIRED_BUCKET,
        TERMINATED_INSTANCE,
        DELETED_BUCKET,
        FAILED_CHANGES,
        ROOT_SIGNED_IN,
        ONE_TRAIL,
        TOUCHED_EVIDENCE,
        NEW_ADMINISTRATOR,
    )
}
"""Every incident, by name, in the order the demo plays them."""

__all__ = ["INCIDENTS", "Answer", "Incident", "Stage"]
