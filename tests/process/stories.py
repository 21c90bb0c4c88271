"""Stories that several tests play, and whose histories are kept: a matter's life at the pace of its processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.acting import Actor
from domain.matter.commands import ConfirmRefusal, ProposeRefusal
from domain.matter.order_commands import AcknowledgeLeg
from tests.process.world import THREE, World, until
from tests.servers import TemporalServer
from workflows.advance import snapshot
from workflows.messages import POKE, process_id


class ShortHistories(TemporalServer):
    """A server that suggests to continue as new after a handful of events."""

    def command(self) -> Sequence[str]:
        return [*super().command(), "--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=16"]


@dataclass
class Whistled:
    """A matter with its summoned departments."""

    case: str
    resident: Actor
    legs: dict[str, str]


async def whistled(world: World, bodies: tuple[str, ...] = THREE) -> Whistled:
    """Registered, accepted, graded, the whistle blown, and every process at work."""
    matter = await blown(world, bodies)
    await followed(world, matter)
    return matter


async def blown(world: World, bodies: tuple[str, ...]) -> Whistled:
    """Registered, accepted, graded, the whistle blown."""
    desk = world.desk
    resident = desk.resident()
    case = await world.act(desk.registers, resident)
    await world.act(desk.accepted_and_triaged, case)
    legs = await world.act(desk.whistles, case, bodies)
    return Whistled(case, resident, legs)


async def followed(world: World, matter: Whistled) -> None:
    """Every process is at work."""
    for owner in ("", *matter.legs.values()):
        await world.running(matter.case, owner)


async def worked_off(world: World, matter: Whistled) -> None:
    """Every department comes, works, reports and is released; the result, the callback, the end."""
    desk, case = world.desk, matter.case
    for body, leg in matter.legs.items():
        await world.act(desk.arrives, case, body, leg)
        await world.act(desk.reports, case, body, leg)
        await world.act(desk.releases, case, leg)
    await world.act(desk.submits, case)
    await world.act(desk.calls_back, case, matter.resident.person)
    await world.act(desk.closes, case)


async def followed_to_the_end(world: World, matter: Whistled) -> None:
    """Every process has completed."""
    for owner in ("", *matter.legs.values()):
        await world.completed(matter.case, owner)


async def full_life(world: World) -> Whistled:
    """Call, whistle to three departments, check-in, result, callback, close."""
    matter = await whistled(world)
    await worked_off(world, matter)
    await followed_to_the_end(world, matter)
    return matter


async def nobody_comes(world: World) -> Whistled:
    """Of two departments one signs for the summons and never comes: missed, urged, supervised, escalated.

    What they do they do at once: only then it is in time, however long their processes take to come up.
    """
    matter = await blown(world, THREE[:2])
    come, stayed = matter.legs.items()
    await world.act(world.desk.arrives, matter.case, *come)
    duty = world.desk.district.actor(stayed[0], "duty_officer")
    await world.act(world.desk.must, matter.case, duty, AcknowledgeLeg(leg=stayed[1]))
    await followed(world, matter)

    def stages(type_name: str) -> list[str]:
        return [event.pub.stage for event in world.stored(matter.case, type_name)]

    for type_name in ("due_missed.v1", "urged_by_clock.v1", "supervised_by_clock.v1", "breach_escalated.v1"):
        await until(lambda name=type_name: "check_in" in stages(name))  # type: ignore[misc]
    return matter


async def refused_early(world: World) -> str:
    """A matter that a second officer refuses: its process ends early."""
    desk = world.desk
    case = await world.act(desk.registers, desk.resident())
    await world.running(case)
    place = desk.district.communities[0]
    intake, secretary = (
        desk.district.actor(place, "intake_officer"),
        desk.district.actor(place, "community_secretary"),
    )
    propose = ProposeRefusal(ground="not_a_public_matter", other_channel="court")
    await world.act(desk.must, case, intake, propose)
    await world.act(desk.must, case, secretary, ConfirmRefusal())
    await world.completed(case)
    return case


async def told_over(world: World, matter: Whistled) -> str:
    """The follower found no process for a summons that is over, which was just being brought up; returns the leg."""
    leg = matter.legs["dept-fire"]
    now = snapshot(world.engine.handle, matter.case)
    (summons,) = [one for one in now.legs if one.owner == leg]
    over = replace(summons, version=now.version + 1, closed=True, due=None, phase="discharged")
    told = replace(now, version=now.version + 1, legs=(over,), absent=(leg,))
    await world.client.get_workflow_handle(process_id(matter.case)).signal(POKE, told)
    return leg
