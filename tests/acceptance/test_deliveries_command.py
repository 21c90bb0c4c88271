"""`huiyin subscription` and `huiyin delivery`: kept by a security administrator, the secret shown once, seen by the doctor."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from adapters.deliveries.desk import deliveries
from adapters.deliveries.role import outbox_consumer
from adapters.deliveries.sending import Pace, Sending
from adapters.deliveries.subscriptions import WEBHOOK, Wanted
from adapters.deliveries.webhook import WebhookSender
from adapters.engine import open_engine
from adapters.settings import Settings
from tests.acceptance.world import DISTRICT, Desk
from tests.receiver import Receiver, receiving
from workflows.records import reads_of, refusals_of
from workflows.rooms import REGISTER

SYSTEM = DISTRICT.staff["com-01", "officer"]
SECURITY = f"{DISTRICT.security}/system/security_admin"
LIKE = ("--body", "com-01", "--post", "officer", "--type", "all")


@pytest.fixture
def desk(founded: Path, tmp_path: Path) -> Desk:
    data = tmp_path / "data"
    shutil.copytree(founded, data)
    return Desk(data, DISTRICT)


def created(desk: Desk, url: str, *more: str) -> dict[str, Any]:
    return desk.act("subscription", "create", SYSTEM, "--url", url, *LIKE, *more, by=SECURITY)


def listed(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(desk.run("subscription", "list", "--json").stdout)[
        "subscriptions"
    ]
    return found


def sent(desk: Desk, *, pace: Pace | None = None, rounds: int = 1) -> None:
    """Fill and empty the outbox, as follower and worker do."""
    engine = open_engine(Settings(data=desk.data))
    try:
        with deliveries(engine) as open_desk:
            asyncio.run(_sent(engine, open_desk, pace, rounds))
    finally:
        engine.close()


async def _sent(engine: Any, desk: Any, pace: Pace | None, rounds: int) -> None:
    consumer = outbox_consumer(engine, desk, lambda: None)
    at = consumer.position()
    while batch := engine.store.read(at, 500):
        await consumer.take(batch)
        at = batch[-1].position
    sender = WebhookSender(engine, desk.subscriptions, desk.outbox)
    sending = Sending(desk.outbox, desk.subscriptions, {WEBHOOK: sender}, engine.handle.clock, pace)
    try:
        for one in desk.subscriptions.known():
            for _ in range(rounds):
                await sending.deliver(one.id)
    finally:
        await sender.close()


def registered(desk: Desk) -> str:
    """A matter of com-01."""
    return str(
        desk.must(
            "matter", "register", "--source", "window", "--kind", "hazard", "--code", "FW-01", "--demand", "help", "--host",
            "com-01", "--text", "楼道墙体开裂", "--name", "某某", by=desk.who("com-01", "intake_officer"),
        )["case"]
    )  # fmt: skip


def test_a_subscription_is_made_and_its_secret_is_shown_once(desk: Desk) -> None:
    made = created(desk, "http://127.0.0.1:9/hook")

    assert made["exit"] == 0
    assert made["secret"].startswith("whsec_")
    assert [one["id"] for one in listed(desk)] == [made["id"]]
    assert made["secret"] not in desk.run("subscription", "list").stdout
    stored = b"".join(one.read_bytes() for one in desk.data.rglob("*") if one.is_file())
    assert made["secret"].removeprefix("whsec_").encode() not in stored


def test_only_a_security_administrator_keeps_subscriptions_and_says_on_what_ground(desk: Desk) -> None:
    made = created(desk, "http://127.0.0.1:9/hook")
    acts = (
        ("subscription", "create", SYSTEM, "--url", "http://127.0.0.1:9/", *LIKE),
        ("subscription", "rotate", made["id"]), ("subscription", "pause", made["id"]),
        ("subscription", "resume", made["id"]), ("subscription", "end", made["id"]), ("delivery", "resend", "--all"),
    )  # fmt: skip
    for act in acts:
        officer = desk.act(*act, by=desk.who("com-01", "officer"))
        assert (officer["exit"], officer["code"]) == (1, "not_your_post"), act
        pretender = desk.act(*act, by=f"{SYSTEM}/system/security_admin")
        assert (pretender["exit"], pretender["code"]) == (1, "post_not_held"), act
        silent = desk.act(*act, by=SECURITY, authority=None)
        assert (silent["exit"], silent["code"]) == (1, "authority_missing"), act
    assert [one["state"] for one in listed(desk)] == ["active"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--url", "ftp://x/"), "bad_url"),
        (("--url", "http://u:p@x/"), "bad_url"),
        (("--type", "nothing_such"), "malformed"),
        (("--source", "telegraph"), "unknown_source"),
        (("--ground", "王某某"), "malformed"),
        (("--post", "leader"), "no_post"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, more: tuple[str, ...], code: str) -> None:
    made = created(desk, "http://127.0.0.1:9/", *more)

    assert made["code"] == code
    assert listed(desk) == []


def test_a_subscription_is_paused_resumed_rotated_and_ended(desk: Desk) -> None:
    made = created(desk, "http://127.0.0.1:9/")

    for verb, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert desk.act("subscription", verb, made["id"], by=SECURITY)["exit"] == 0
        assert listed(desk)[0]["state"] == state
        if state != "ended":
            assert desk.act("subscription", "rotate", made["id"], by=SECURITY)["secret"] != made["secret"]
    assert desk.act("subscription", "rotate", made["id"], by=SECURITY)["code"] == "subscription_ended"
    assert desk.act("subscription", "pause", "0" * 16, by=SECURITY)["exit"] == 3


def register_events(desk: Desk, name: str) -> list[dict[str, Any]]:
    """The register's events of that kind, in order."""
    with desk.engine() as engine:
        read = [json.loads(one.body) for one in engine.store.load(REGISTER)]
    return [one for one in read if one["type"] == name]


def test_who_opened_a_channel_is_on_record_and_so_is_who_tried_to(desk: Desk) -> None:
    created(desk, "http://127.0.0.1:9/hook-7c1b", "--ground", "agreement:2026-7")
    officer = desk.act(
        "subscription", "create", SYSTEM, "--url", "http://127.0.0.1:9/hook-7c1b", *LIKE, by=desk.who("com-01", "officer")
    )  # fmt: skip

    (made,) = register_events(desk, "subscription_made.v1")
    assert (made["person"], made["pub"]["receiver"], made["pub"]["ground"]) == (
        DISTRICT.security, "http://127.0.0.1:9", "agreement:2026-7"
    )  # fmt: skip
    assert officer["code"] == "not_your_post"
    with desk.engine() as engine:
        (refused,) = [json.loads(one.body) for one in engine.store.load(refusals_of(REGISTER))]
        stored = b"".join(one.body for one in engine.store.read(0, 10_000))
    assert (refused["pub"]["code"], refused["person"]) == ("not_your_post", SYSTEM)
    assert b"hook-7c1b" not in stored


def test_a_subscription_from_before_is_named_by_the_doctor_and_put_on_record_by_hand(desk: Desk) -> None:
    assert not any(name.startswith("receiver") for name in checks(desk))
    with receiving() as receiver:
        with desk.engine() as engine, deliveries(engine) as open_desk:
            wanted = Wanted(SYSTEM, "com-01", "officer", receiver.url, ["all"])
            old, receiver.secret = open_desk.subscriptions.create(wanted, engine.store.head())
        registered(desk)
        sent(desk)
        assert receiver.taken == []
        assert checks(desk)[f"receiver {old.id}"]["ok"] is False
        assert [(one["state"], one["why"]) for one in listed(desk)] == [("paused", "not_on_record")]

        assert desk.act("subscription", "resume", old.id, by=SECURITY)["exit"] == 0
        sent(desk)

    assert len(receiver.taken) == 1
    assert f"receiver {old.id}" not in checks(desk)
    assert len(register_events(desk, "subscription_made.v1")) == 1


def checks(desk: Desk) -> dict[str, dict[str, Any]]:
    said = json.loads(desk.run("doctor", "--no-temporal", "--json").stdout)
    return {one["name"]: one for one in said["checks"]}


def test_the_doctor_says_what_is_parked_and_a_resend_by_hand_sends_it(desk: Desk) -> None:
    refusing = Receiver(answers=lambda _: (500, {}))
    with receiving(refusing) as receiver:
        created(desk, receiver.url)
        case = registered(desk)
        sent(desk, pace=Pace(first=0, longest=0, park_after=0))

        assert checks(desk)["deliveries"]["ok"] is False
        assert checks(desk)["deliveries"]["parked"] == 1
        (parked,) = json.loads(desk.run("delivery", "list", "--json").stdout)["parked"]
        assert (parked["code"], parked["type"]) == ("http_500", "matter_registered.v1")
        assert parked["id"] in desk.run("delivery", "list").stdout

        receiver.answers = lambda _: (204, {})
        assert desk.act("delivery", "resend", parked["id"], by=SECURITY)["exit"] == 0
        assert desk.act("delivery", "resend", parked["id"], by=SECURITY)["code"] == "not_parked"
        sent(desk)

    assert checks(desk)["deliveries"]["ok"] is True
    assert [one.place for one in receiver.taken] == [(case, 1)]


def test_the_doctor_names_a_receiver_that_is_away(desk: Desk) -> None:
    made = created(desk, "http://127.0.0.1:9/")
    registered(desk)

    sent(desk, pace=Pace(first=30))

    check = checks(desk)[f"receiver {made['id']}"]
    assert (check["ok"], check["waiting"]) == (False, 1)


# -- personal data -----------------------------------------------------------------------------------------------------


MARK = "canary5f0c9d"


def marked(desk: Desk, *more: str) -> tuple[Receiver, str]:
    """A life with a mark in all that is sealed, told to a subscriber."""
    with receiving() as receiver:
        receiver.secret = created(desk, receiver.url, *more)["secret"]
        made = desk.must(
            "matter", "register", "--source", "window", "--kind", "hazard", "--code", "FW-01", "--demand", "help", "--host",
            "com-01", "--text", f"墙体{MARK}", "--name", f"王{MARK}", "--contact", f"138{MARK}",
            by=desk.who("com-01", "intake_officer"),
        )  # fmt: skip
        case = str(made["case"])
        desk.must("matter", "accept", case, by=desk.who("com-01", "intake_officer"))
        desk.must(
            "matter",
            "supplement",
            case,
            "--source",
            "window",
            "--what",
            "supplement",
            "--text",
            f"又漏{MARK}",
            by=desk.who("com-01", "intake_officer"),
        )
        sent(desk)
        assert len(receiver.taken) == 3
        assert receiver.refused == []
        return receiver, case


def reads(desk: Desk, case: str) -> list[dict[str, Any]]:
    engine = open_engine(Settings(data=desk.data))
    try:
        return [json.loads(stored.body) for stored in engine.store.load(reads_of(case))]
    finally:
        engine.close()


def test_no_personal_data_leave_unless_the_subscription_names_the_ground(desk: Desk) -> None:
    receiver, case = marked(desk)

    assert not any(MARK.encode() in one.body for one in receiver.arrivals)
    assert not any(MARK in value for one in receiver.arrivals for value in one.headers.values())
    assert reads(desk, case) == []


def test_with_the_ground_the_sealed_values_of_the_event_leave_and_that_is_on_record(desk: Desk) -> None:
    receiver, case = marked(desk, "--ground", "agreement:2026-7")

    first = receiver.taken[0].event["data"]["sealed"]
    assert {one["name"] for one in first} >= {"text", "name", "contact"}
    assert all(one["state"] == "open" and MARK in one["value"] for one in first)
    assert receiver.taken[1].event["data"]["sealed"] == []
    recorded = reads(desk, case)
    assert [(one["pub"]["purpose"], one["authority"], one["person"]) for one in recorded] == [
        ("delivery", "agreement:2026-7", SYSTEM)
    ] * 2
    assert set(recorded[0]["pub"]["fields"]) >= {"text", "name", "contact"}


def test_nothing_personal_stands_in_the_tables_of_deliveries(desk: Desk) -> None:
    marked(desk, "--ground", "agreement:2026-7")

    files = [one for one in desk.data.glob("deliveries.*") if one.is_file()]
    assert files
    assert not any(MARK.encode() in one.read_bytes() for one in files)
