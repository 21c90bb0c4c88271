"""What happens is told to those who subscribed: in order per case, at least once, whatever becomes of anybody."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from adapters.deliveries import webhook
from adapters.demo.district import SUBDISTRICT
from domain.acting import Actor
from domain.matter.commands import DivertMatter
from domain.register import commands as c
from tests.acceptance.staffing import keeper
from tests.process.delivery_world import HOST, QUICK, Deliveries, delivering_in, lives, played
from tests.process.world import DISTRICT, World, created, until
from tests.receiver import TAKEN, Answer, Arrival, Receiver, receiving
from tests.servers import free_port
from workflows.delivery_process import delivery_id
from workflows.standing import REGISTER

KEEPER = Actor(person=DISTRICT.security, body="system", post="security_admin")


@pytest.fixture
def office(world: World) -> Iterator[Deliveries]:
    with delivering_in(world) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@played
async def test_a_subscriber_is_told_everything_of_its_own_matters_in_order_and_signed(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    sub = office.subscribed(receiver)
    async with office.at_work():
        cases = await asyncio.to_thread(lives, office.world, 3)
        await office.quiet()

    assert receiver.in_order() == {case: office.whole(case) for case in cases}
    assert receiver.refused == []
    assert len(receiver.taken) == len(receiver.first_taken())
    assert [row[2] for row in office.outbox.done(sub.id)] == ["sent"] * len(receiver.taken)


@played
async def test_an_event_looks_outside_as_cloudevents_and_standard_webhooks_say(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    office.subscribed(receiver, types=("matter_registered",))
    async with office.at_work():
        (case,) = await asyncio.to_thread(lives, office.world, 1)
        await office.quiet()

    (arrival,) = receiver.taken
    stored = office.world.engine.store.load(case)[0]
    event, data = arrival.event, arrival.event["data"]
    assert arrival.headers["content-type"] == "application/cloudevents+json"
    assert event["specversion"] == "1.0"
    assert event["id"] == arrival.headers["webhook-id"]
    assert event["type"] == "matter_registered.v1"
    assert event["subject"] == data["number"]
    assert (data["case"], data["position"], data["version"]) == (case, stored.position, 1)
    assert {"occurred_at", "recorded_at", "pub", "link"} <= set(data)
    assert "sealed" not in data
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secret).verify(arrival.body.replace(b"hazard", b"hazarD"), arrival.headers)


@played
async def test_a_receiver_by_the_package_refuses_what_was_altered_replayed_late_or_signed_by_another(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    office.subscribed(receiver, types=("matter_registered",))
    async with office.at_work():
        await asyncio.to_thread(lives, office.world, 1)
        await office.quiet()
    (arrival,) = receiver.taken
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: arrival.headers[name] for name in names}
    late = str(int(headers["webhook-timestamp"]) - 400)
    forged = Webhook("whsec_" + "A" * 44).sign(headers["webhook-id"], _at(headers), arrival.body.decode())

    tampered: list[tuple[bytes, dict[str, str]]] = [
        (arrival.body + b" ", {}),
        (arrival.body, {"webhook-timestamp": late}),
        (arrival.body, {"webhook-id": "evt_0"}),
        (arrival.body, {"webhook-signature": forged}),
    ]
    async with httpx.AsyncClient(timeout=100) as client:
        for body, more in tampered:
            assert (await client.post(receiver.url, content=body, headers=headers | more)).status_code == 400
        assert (await client.post(receiver.url, content=arrival.body, headers=headers)).status_code == 204
    assert len(receiver.first_taken()) == 1  # replayed as it was, it is known by its id


def _at(headers: dict[str, str]) -> datetime:
    return datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)


@played
async def test_a_receiver_that_was_down_gets_everything_once_it_is_back_and_in_order(
    office: Deliveries,
) -> None:
    await office.world.open()
    port = free_port()
    with receiving(port=port) as gone:
        pass
    sub = office.subscribed(gone)
    async with office.at_work():
        cases = await asyncio.to_thread(lives, office.world, 2)
        await until(lambda: office.desk.subscriptions.get(sub.id).failures >= 3)
        assert office.outbox.parked() == []
        with receiving(gone, port):
            await office.quiet()

    assert gone.in_order() == {case: office.whole(case) for case in cases}
    assert office.desk.subscriptions.get(sub.id).failures == 0


@played
async def test_what_a_receiver_will_not_take_holds_back_its_own_case_alone(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    stuck: dict[str, str] = {}
    refused, taken_now = threading.Event(), threading.Event()

    def answers(one: Arrival) -> Answer:
        case, version = one.place
        if version != 3 or stuck.setdefault("case", case) != case or taken_now.is_set():
            return TAKEN
        refused.set()
        return 500, {}

    receiver.answers = answers
    office.subscribed(receiver)
    async with office.at_work():
        cases = await asyncio.to_thread(lives, office.world, 4)
        await until(refused.is_set)
        bad = stuck["case"]
        others = [case for case in cases if case != bad]
        await until(lambda: all(receiver.in_order().get(case) == office.whole(case) for case in others))
        assert receiver.in_order()[bad] == [1, 2]
        taken_now.set()
        await office.quiet()

    assert receiver.in_order()[bad] == office.whole(bad)


@played
async def test_a_receiver_that_never_answers_about_one_case_is_told_of_the_others(
    office: Deliveries, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TRY_SECONDS", 0.5)
    stuck: dict[str, str] = {}
    held, patient = threading.Event(), threading.Event()

    def answers(one: Arrival) -> Answer:
        if stuck.setdefault("case", one.place[0]) == one.place[0]:
            held.set()
            patient.wait(100)
        return TAKEN

    receiver.answers = answers
    await office.world.open()
    office.subscribed(receiver)
    async with office.at_work():
        cases = await asyncio.to_thread(lives, office.world, 3)
        await until(held.is_set)
        bad = stuck["case"]
        others = [case for case in cases if case != bad]
        await until(lambda: all(receiver.in_order().get(case) == office.whole(case) for case in others))
        assert bad not in receiver.in_order()
        patient.set()
        await office.quiet()

    assert receiver.in_order()[bad] == office.whole(bad)


@played
async def test_what_keeps_failing_parks_and_is_sent_again_by_hand(world: World, receiver: Receiver) -> None:
    await world.open()
    refusing = True
    receiver.answers = lambda one: (500, {}) if refusing and one.place[1] == 2 else TAKEN
    with delivering_in(world, replace(QUICK, first=0.05, longest=0.1, park_after=0.3)) as office:
        office.subscribed(receiver)
        async with office.at_work():
            cases = await asyncio.to_thread(lives, world, 2)
            await until(lambda: len(office.outbox.parked()) == 2)
            parked = office.outbox.parked()
            assert {one.code for one in parked} == {"http_500"}
            assert receiver.in_order() == {case: [1] for case in cases}

            refusing = False
            office.outbox.resend(parked[0].id)
            await until(lambda: receiver.in_order()[parked[0].stream] == office.whole(parked[0].stream))
            assert [one.id for one in office.outbox.parked()] == [parked[1].id]
            assert office.outbox.resend_all() == 1
            await office.quiet()

    assert receiver.in_order() == {case: office.whole(case) for case in cases}


@played
async def test_a_receiver_that_says_gone_is_never_called_again(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    receiver.answers = lambda _: (410, {})
    sub = office.subscribed(receiver)
    async with office.at_work():
        await asyncio.to_thread(lives, office.world, 1)
        await until(lambda: office.desk.subscriptions.get(sub.id).state == "ended")
        await asyncio.to_thread(lives, office.world, 1)
        await until(lambda: office.outbox.stands()[0] == office.world.engine.store.head())
        process = office.world.client.get_workflow_handle(delivery_id(sub.id))
        await until(lambda: _ended(process))

    assert office.desk.subscriptions.get(sub.id).why == "receiver_gone"
    assert {one.place[0] for one in receiver.arrivals} == {receiver.arrivals[0].place[0]}


async def _ended(process: WorkflowHandle[Any, Any]) -> bool:
    return (await process.describe()).status is WorkflowExecutionStatus.COMPLETED


@played
async def test_a_receiver_that_says_when_to_come_again_is_left_alone_until_then(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    receiver.answers = lambda _: (503, {"retry-after": "2"}) if len(receiver.arrivals) < 1 else TAKEN
    office.subscribed(receiver)
    async with office.at_work():
        (case,) = await asyncio.to_thread(lives, office.world, 1)
        await office.quiet()

    first, second = receiver.arrivals[:2]
    assert (first.status, second.status) == (503, 204)
    assert second.at - first.at >= 1.9
    assert receiver.in_order() == {case: office.whole(case)}


@played
async def test_redirects_are_not_followed(office: Deliveries, receiver: Receiver) -> None:
    await office.world.open()
    with receiving() as elsewhere:
        receiver.answers = lambda _: (307, {"location": elsewhere.url})
        office.subscribed(receiver, types=("matter_registered",))
        async with office.at_work():
            await asyncio.to_thread(lives, office.world, 1)
            await until(lambda: len(receiver.arrivals) >= 2)

    assert elsewhere.arrivals == []


@played
async def test_after_a_rotation_both_secrets_verify_and_later_the_new_one_alone(
    office: Deliveries, receiver: Receiver
) -> None:
    await office.world.open()
    sub = office.subscribed(receiver, types=("matter_registered",))
    old, receiver.secret = receiver.secret, ""
    new = office.desk.subscriptions.change_secret(keeper(office.world.engine), sub.id, timedelta(hours=1))
    async with office.at_work():
        await asyncio.to_thread(lives, office.world, 1)
        await office.quiet()
        newest = office.desk.subscriptions.change_secret(keeper(office.world.engine), sub.id, timedelta())
        await asyncio.to_thread(lives, office.world, 1)
        await office.quiet()

    first, second = receiver.taken
    for secret, arrival, right in (
        (old, first, True), (new, first, True), (old, second, False), (new, second, False), (newest, second, True),
    ):  # fmt: skip
        assert _verifies(secret, arrival) is right


def _verifies(secret: str, arrival: Arrival) -> bool:
    try:
        Webhook(secret).verify(arrival.body, arrival.headers)
    except WebhookVerificationError:
        return False
    return True


@played
async def test_after_temporal_was_wiped_everything_that_waits_is_still_delivered(
    office: Deliveries, receiver: Receiver
) -> None:
    world = office.world
    await world.open()
    open_again = False
    receiver.answers = lambda _: TAKEN if open_again else (503, {})
    sub = office.subscribed(receiver)
    async with office.at_work():
        cases = await asyncio.to_thread(lives, world, 2)
        await until(lambda: office.desk.subscriptions.get(sub.id).failures >= 1)

    world.namespace = f"{world.namespace}-anew"
    await created(world.address, world.namespace)
    await world.open()
    open_again = True
    async with office.at_work():
        await office.quiet()

    assert receiver.in_order() == {case: office.whole(case) for case in cases}


@played
async def test_a_diverted_case_stops_though_it_was_queued(office: Deliveries, receiver: Receiver) -> None:
    world, desk = office.world, office.world.desk
    await world.open()
    office.subscribed(receiver)
    async with office.follower():
        case = await world.act(desk.registers, desk.resident())
        other = await world.act(desk.registers, desk.resident())
        await until(lambda: office.outbox.stands()[0] == world.engine.store.head())
        intake = DISTRICT.actor("com-01", "intake_officer")
        await world.act(desk.must, case, intake, DivertMatter(to="discipline"))
        async with office.worker():
            await office.quiet()

    assert set(receiver.in_order()) == {other}


@played
async def test_who_lost_its_post_is_told_nothing_until_it_holds_it_again(
    office: Deliveries, receiver: Receiver
) -> None:
    world, desk = office.world, office.world.desk
    await world.open()
    sub = office.subscribed(receiver)
    person = DISTRICT.staff[HOST]
    await world.act(desk.must, REGISTER, KEEPER, c.VacatePost(person=person, body=HOST[0], post=HOST[1]))
    async with office.at_work():
        case = await world.act(desk.registers, desk.resident())
        await until(lambda: office.desk.subscriptions.get(sub.id).failures >= 1)
        assert receiver.arrivals == []
        await world.act(desk.must, REGISTER, KEEPER, c.FillPost(person=person, body=HOST[0], post=HOST[1]))
        await office.quiet()

    assert receiver.in_order() == {case: office.whole(case)}


@played
async def test_a_worker_that_ends_in_the_middle_loses_nothing(office: Deliveries, receiver: Receiver) -> None:
    await office.world.open()
    office.subscribed(receiver, (SUBDISTRICT, "officer"))
    async with office.follower():
        cases = await asyncio.to_thread(lives, office.world, 4)
        for _ in range(3):
            before = len(receiver.arrivals)
            async with office.worker():
                await until(lambda: len(receiver.arrivals) > before or not office.outbox.counts())  # noqa: B023
        async with office.worker():
            await office.quiet()

    assert {case: versions[-1] for case, versions in receiver.in_order().items()} == {
        case: office.whole(case)[-1] for case in cases
    }
    assert all(versions == sorted(versions) for versions in receiver.in_order().values())
