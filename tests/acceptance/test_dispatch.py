"""Dispatch: what a department's own system is told, and what it never is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.deliveries.channels import Channels
from adapters.deliveries.consumer import OutboxConsumer
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.schema import open_deliveries
from adapters.deliveries.sending import Pace, Sending
from adapters.deliveries.signing import signed
from adapters.deliveries.subscriptions import Wanted
from adapters.dispatch.routing import CHANNEL, DispatchRouter
from adapters.dispatch.sending import DispatchSender
from adapters.engine import now
from domain.event import decode
from domain.matter import order_commands as odo
from domain.register import commands as reg
from tests.acceptance.staffing import enter, keeper, newcomer
from tests.receiver import Receiver, receiving
from tests.story import Story, story
from workflows.records import reads_of

KINDS = ("orders", "legs", "clocks")
GROUND = "law:department-duty"


@dataclass
class Dispatching:
    """A district whose departments have systems: what they are sent arrives in this process."""

    tale: Story
    outbox: Outbox
    subscriptions: Channels
    received: dict[str, Receiver]
    persons: dict[str, str]

    def listen(
        self, body: str, url: str, *, ground: str | None = None, types: tuple[str, ...] = KINDS
    ) -> str:
        """The body's system subscribes; gives its secret."""
        engine = self.tale.engine
        self.persons[body] = newcomer(engine, self.tale.desk.district, body, "officer")
        wanted = Wanted(self.persons[body], body, "officer", url, types, ground=ground, channel=CHANNEL)
        _, secret = self.subscriptions.make(keeper(engine), wanted, engine.store.head(), id=f"of-{body}")
        return secret

    def tell(self) -> None:
        """Queue and send everything."""
        engine = self.tale.engine
        router = DispatchRouter(engine.store, self.subscriptions)
        consumer = OutboxConsumer(engine.store, self.outbox, [router], engine.handle.clock)
        at = consumer.position()
        while batch := engine.store.read(at, 500):
            asyncio.run(consumer.take(batch))
            at = batch[-1].position
        for one in self.subscriptions.known():
            asyncio.run(self._sent(one.id))

    async def _sent(self, subscription: str) -> None:
        engine = self.tale.engine
        sender = DispatchSender(engine, self.subscriptions, self.outbox)
        sending = Sending(
            self.outbox, self.subscriptions, {CHANNEL: sender}, engine.handle.clock, Pace(slice=5.0)
        )
        try:
            await sending.deliver(subscription)
        finally:
            await sender.close()

    def told(self, body: str) -> list[dict[str, Any]]:
        """The events that a department's system took, in order."""
        return [one.event for one in self.received[body].first_taken()]

    def whistled(self, *bodies: str) -> tuple[str, dict[str, str]]:
        """A resident's matter in which these departments are whistled for."""
        desk = self.tale.desk
        case = desk.registers(desk.resident())
        desk.accepted_and_triaged(case)
        return case, desk.whistles(case, bodies)


@pytest.fixture(params=("sqlite", "postgres"))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dispatching]:
    url = (
        str(tmp_path / "deliveries.db")
        if request.param == "sqlite"
        else request.getfixturevalue("pg_database")
    )
    with story(tmp_path / "data") as tale, receiving() as housing, receiving() as water:
        tables = open_deliveries(url)
        tale.clock.at = now()  # the receivers hold the time of each message against their own
        subscriptions = Channels(tables, tale.engine.handle, tale.engine.keys.pepper)
        received = {"dept-housing": housing, "dept-water": water}
        made = Dispatching(tale, Outbox(tables), subscriptions, received, {})
        try:
            yield made
        finally:
            tables.close()


def listening(world: Dispatching, body: str = "dept-housing", **how: Any) -> Receiver:
    """The body's system subscribes, and checks every signature."""
    receiver = world.received[body]
    receiver.secret = world.listen(body, receiver.url, **how)
    return receiver


def test_a_summons_says_what_the_department_needs_to_act(world: Dispatching) -> None:
    listening(world)
    case, legs = world.whistled("dept-housing", "dept-fire")
    world.tell()

    (event,) = world.told("dept-housing")
    state = world.tale.engine.handle.load(case)
    assert state is not None
    data, (leg,) = event["data"], event["data"]["legs"]
    assert (event["type"], event["subject"], data["number"]) == (
        "order_issued.v1",
        state.number,
        state.number,
    )
    assert (leg["leg"], leg["status"], leg["role"]) == (legs["dept-housing"], "issued", "lead")
    assert (leg["order"], leg["order_kind"], leg["issuer"]) == (*state.orders, "whistle.service", "sd-01")
    assert {"acknowledge", "check_in", "contact"} <= set(leg["due"])
    assert leg["link"].endswith(f"/api/v1/matters/{case}/legs/{legs['dept-housing']}")
    assert "acknowledge" in leg["next"]
    assert data["matter"]["code"] == "FW-01"


def test_without_a_named_ground_no_word_of_anybody_leaves(world: Dispatching) -> None:
    receiver = listening(world)
    case, _ = world.whistled("dept-housing")
    world.tell()

    assert "sealed" not in world.told("dept-housing")[0]["data"]
    assert "墙体" not in receiver.taken[0].body.decode() + json.dumps(
        json.loads(receiver.taken[0].body), ensure_ascii=False
    )
    assert world.tale.engine.store.load(reads_of(case)) == []


def test_on_the_named_ground_the_text_and_the_reason_leave_and_neither_name_nor_contact(
    world: Dispatching,
) -> None:
    receiver = listening(world, ground=GROUND)
    case, _ = world.whistled("dept-housing")
    receiver.answers = lambda _: (500, {})
    world.tell()
    receiver.answers = lambda _: (204, {})
    world.subscriptions.resume("of-dept-housing")
    with world.outbox._tables.transaction() as work:  # the lane is tried again at once
        work.run("UPDATE lanes SET next_at = 0")
    world.tell()

    sealed = world.told("dept-housing")[0]["data"]["sealed"]
    assert {one["name"] for one in sealed} == {"text", "reason"}
    assert all(one["state"] == "open" and one["value"] for one in sealed)
    reads = [decode(row.type, row.body) for row in world.tale.engine.store.load(reads_of(case))]
    assert [(one.person, one.authority, one.pub.fields) for one in reads] == [
        (world.persons["dept-housing"], GROUND, ("reason", "text"))
    ]


def test_a_system_is_told_of_its_own_legs_alone(world: Dispatching) -> None:
    listening(world)
    listening(world, "dept-water")
    _, legs = world.whistled("dept-housing")
    world.tell()

    assert world.told("dept-water") == []
    assert [leg["leg"] for one in world.told("dept-housing") for leg in one["data"]["legs"]] == [
        legs["dept-housing"]
    ]


def test_what_becomes_of_the_leg_follows_in_order(world: Dispatching) -> None:
    listening(world)
    case, legs = world.whistled("dept-housing")
    desk, leg = world.tale.desk, legs["dept-housing"]
    officer = desk.district.actor("sd-01", "officer")
    desk.must(case, officer, odo.UrgeLeg(leg=leg))
    for _ in range(20):
        world.tale.clock.turn(1)
        world.tale.steps(case)
    world.tell()

    told = world.told("dept-housing")
    types = [one["type"].partition(".")[0] for one in told]
    assert types[:2] == ["order_issued", "leg_urged"]
    assert {"reminded", "due_missed", "urged_by_clock"} <= set(types)
    versions = [one["data"]["version"] for one in told]
    assert versions == sorted(versions)


def test_a_cancelled_order_is_told_too(world: Dispatching) -> None:
    listening(world)
    case, _ = world.whistled("dept-housing")
    state = world.tale.engine.handle.load(case)
    assert state is not None
    (order,) = state.orders
    officer = world.tale.desk.district.actor("sd-01", "leadership_member")
    world.tale.desk.must(case, officer, odo.CancelOrder(order=order, reason="false_alarm"))
    world.tell()

    assert [one["type"] for one in world.told("dept-housing")] == ["order_issued.v1", "order_cancelled.v1"]
    assert world.told("dept-housing")[-1]["data"]["legs"][0]["next"] == []


def test_kinds_that_were_not_asked_for_are_not_told(world: Dispatching) -> None:
    listening(world, types=("order_issued",))
    case, legs = world.whistled("dept-housing")
    officer = world.tale.desk.district.actor("sd-01", "officer")
    world.tale.desk.must(case, officer, odo.UrgeLeg(leg=legs["dept-housing"]))
    world.tell()

    assert [one["type"] for one in world.told("dept-housing")] == ["order_issued.v1"]


def test_a_department_whose_system_has_lost_its_post_is_told_nothing_until_it_has_one(
    world: Dispatching,
) -> None:
    listening(world)
    world.whistled("dept-housing")
    engine, district = world.tale.engine, world.tale.desk.district
    seat = {"person": world.persons["dept-housing"], "body": "dept-housing", "post": "officer"}
    enter(engine, district, reg.VacatePost(**seat))
    world.tell()
    nothing = world.told("dept-housing")
    enter(engine, district, reg.FillPost(**seat))
    with world.outbox._tables.transaction() as work:
        work.run("UPDATE subscriptions SET next_at = 0")
    world.tell()

    assert nothing == []
    assert [one["type"] for one in world.told("dept-housing")] == ["order_issued.v1"]


def test_a_replayed_webhook_is_refused_by_its_signature_and_by_its_age(world: Dispatching) -> None:
    receiver = listening(world)
    world.whistled("dept-housing")
    world.tell()
    (taken,) = receiver.taken
    kept = {name: taken.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    old = signed([receiver.secret], taken.id, now() - timedelta(minutes=6), taken.body)
    newer = kept | {"webhook-timestamp": str(int(kept["webhook-timestamp"]) + 1)}
    other = kept | {"webhook-id": "evt_" + "0" * 32}

    replayed = [
        httpx.post(receiver.url, content=taken.body, headers=one, timeout=100).status_code
        for one in (old, newer, other)
    ]
    changed = httpx.post(
        receiver.url, content=taken.body.replace(b"lead", b"head"), headers=kept, timeout=100
    ).status_code

    assert [*replayed, changed] == [400] * 4
    assert len(receiver.taken) == 1
