"""Who tells people is killed in the middle of a message: it goes out at least once, under the same id, and is on record
once; what went out before is neither sent nor recorded again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.deliveries.schema import open_deliveries
from adapters.failpoint import FAILPOINTS
from domain.event import Recorded
from tests.acceptance.notice_world import SENDER, Told, telling
from tests.faults.role import Role
from tests.mail_world import SECRET
from workflows.rooms import REGISTER

pytestmark = pytest.mark.faults

MAIL, PHONE = "someone@mail.example", "13811112222"
ELSE = {MAIL: "13900000000", PHONE: "else@mail.example"}
"""Whoever is told just before, by the other way."""

POINTS = {
    "notice.before_sent": (2, 0, 1), "notice.after_sent": (2, 1, 2), "deliver.after_sent": (1, 1, 1),
}  # fmt: skip
"""At which passage it dies; how often the message had gone out by then, and how often it has gone out in the end."""


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with telling(tmp_path) as made:
        yield made


@pytest.fixture
def teller(told: Told, tmp_path: Path) -> Iterator[Role]:
    settings = told.engine.settings
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUIYIN_", "TEMPORAL_"))} | {
        "HUIYIN_DATA": str(settings.data), "HUIYIN_DISTRICT": settings.district,
        "HUIYIN_DELIVERIES": str(tmp_path / "deliveries.db"), "HUIYIN_SMTP_HOST": "127.0.0.1",
        "HUIYIN_SMTP_PORT": str(told.box.port), "HUIYIN_SMTP_FROM": SENDER, "HUIYIN_SMTP_TLS": "none",
        "HUIYIN_NOTICE_URL": told.hub.url, "HUIYIN_NOTICE_SECRET": SECRET,
    }  # fmt: skip
    role = Role("teller", ("tests.faults.telling",), environment, tmp_path)
    yield role
    role.end()


def killed(teller: Role, point: str, passage: int) -> None:
    """It dies there."""
    teller.start(f"{point}:{passage}")
    teller.running().wait(60)
    teller.died_at(point)


def started_again(teller: Role, deliveries: Path) -> None:
    """It is started again, and comes to the end; the time for which the dead one held the queue has passed."""
    with closing(open_deliveries(str(deliveries))) as tables:
        assert tables.run("UPDATE subscriptions SET lease_until = 0 WHERE lease_until > 0") == 1
    teller.start()
    assert teller.running().wait(60) == 0, teller.tail()


def ids(told: Told, address: str) -> list[str]:
    """The ids under which messages came to an address, in order."""
    mails = [str(mail["Message-ID"]) for mail in told.box.to(address)]
    return mails + [str(said["id"]) for said in told.hub.to(address)]


def to_a_resident(told: Told, contact: str) -> str:
    """A resident has a message coming; gives the case."""
    case, _ = told.register(contact)
    return case


def to_an_officer(told: Told, contact: str) -> str:
    """An officer on duty has one coming, of a matter whose resident left no contact."""
    told.staff("dept-housing", "duty_officer", contact)
    case, _ = told.register(None)
    told.tale.desk.accepted_and_triaged(case)
    told.tale.desk.whistles(case, ("dept-housing",))
    return case


def on_record(told: Told, case: str) -> list[tuple[str, str]]:
    """What became of the messages about a case: the type, and the way."""
    return [(one.type, one.pub.channel) for one in told.on_record(case)]


@pytest.mark.parametrize("contact", [MAIL, PHONE], ids=["smtp", "gateway"])
@pytest.mark.parametrize("somebody", [to_a_resident, pytest.param(to_an_officer, marks=pytest.mark.long)])
@pytest.mark.parametrize("point", POINTS)
def test_a_message_goes_out_under_one_id_and_is_recorded_once(
    told: Told, teller: Role, tmp_path: Path, point: str, somebody: Any, contact: str
) -> None:
    passage, before, after = POINTS[point]
    way = "smtp" if contact == MAIL else "gateway"
    earlier = to_a_resident(told, ELSE[contact])
    case = somebody(told, contact)

    killed(teller, point, passage)

    assert len(ids(told, ELSE[contact])) == 1
    assert len(ids(told, contact)) == before
    recorded = [("notice_delivered.v1", way)]
    assert on_record(told, case) == (recorded if point == "deliver.after_sent" else [])
    assert told.waiting() > 0

    started_again(teller, tmp_path / "deliveries.db")

    assert len(ids(told, ELSE[contact])) == 1, "it was on record: it is not sent again"
    assert len(on_record(told, earlier)) == 1
    assert len(ids(told, contact)) == after
    assert len(set(ids(told, contact))) == 1
    assert on_record(told, case) == recorded
    assert len(read(told, case if somebody is to_a_resident else REGISTER)) == 1
    assert told.waiting() == 0


def read(told: Told, stream: str) -> list[Recorded[Any]]:
    """Each time a contact was opened to be told."""
    return [one for one in told.read(stream) if one.pub.purpose.startswith("notice:")]


def test_every_failpoint_of_notices_is_walked() -> None:
    assert {name for name in FAILPOINTS if name.startswith("notice.")} <= set(POINTS)
