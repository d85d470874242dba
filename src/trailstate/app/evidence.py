"""Trails and what they deliver: CloudTrail beyond the event history."""

from trailstate.app.house import House, Part
from trailstate.trail.interest import Interest
from trailstate.trail.organization import Organizations


def assemble(house: House) -> Part:
    organizations = Organizations(house.door, house.world)
    interest = Interest(house.store, organizations.is_member)

    def forget() -> None:
        organizations.forget()
        interest.forget()

    return Part(
        provisions={Organizations: organizations},
        selects=interest.selects,
        further_records=interest.further_records,
        forget=forget,
    )
