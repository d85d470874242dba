"""The lake: what is recorded and what was imported, asked in SQL."""

import tempfile
from pathlib import Path

from trailstate.app.house import House, Part
from trailstate.lake.archive import LakeArchive
from trailstate.lake.execute import Executions
from trailstate.lake.files import BucketFiles
from trailstate.lake.lake import Lake, Scope
from trailstate.lake.upkeep import Upkeep, UpkeepTimer
from trailstate.stores.disk import DiskObjects
from trailstate.trail.history import History
from trailstate.trail.organization import Organizations
from trailstate.trail.trails import trails

SCRATCH = "lake-live"


def assemble(house: House) -> Part:
    """Where the house keeps its objects in memory, the lake has a directory that goes with it."""
    scratch = None
    if isinstance(house.objects, DiskObjects):
        objects, directory = house.objects, house.settings.data / SCRATCH
    else:
        scratch = tempfile.TemporaryDirectory(prefix="trailstate-lake-")
        objects, directory = DiskObjects(Path(scratch.name), house.world), Path(scratch.name) / SCRATCH
    lake = Lake(objects, house.store, directory)
    upkeep = Upkeep(lake.manifest, objects, house.world, workers=1, newest_first=False)
    house.provided(History).archive = LakeArchive(lake.manifest, objects)
    organizations = house.provided(Organizations)

    def scope_of(account: str) -> Scope:
        return Scope(tuple(sorted({account, *organizations.members(account)})))

    def delivers_to(account: str, bucket: str) -> bool:
        return any(each.account == account and each.bucket == bucket for each in trails(house.store))

    files = BucketFiles(house.door, directory, delivers_to)
    executions = Executions(house.store, house.objects, lake, files, house.door, house.world, scope_of)

    def forget() -> None:
        lake.forget()
        files.forget()

    def close() -> None:
        lake.close()
        if scratch is not None:
            scratch.cleanup()

    return Part(
        provisions={Lake: lake, Executions: executions},
        timers=(UpkeepTimer(upkeep, house.world.now()),),
        shippers=(executions,),
        forget=forget,
        close=close,
    )
